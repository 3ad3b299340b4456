import assert from "node:assert/strict";
import type { DatagramSocket, SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { allocate } from "../../../src/host/turn-allocate.ts";
import type { TurnSocket } from "../../../src/host/turn-socket.ts";
import { home } from "../../kit/network/home.ts";
import type { Host } from "../../kit/network/host.ts";
import { Network } from "../../kit/network.ts";
import type { Trace } from "../../kit/trace.ts";
import { MODEL_USER, TurnModel } from "../../kit/turn-model.ts";

export const SERVER = "5.0.0.1";
export const OTHER_SERVER = "5.0.0.2";
export const PEER = "5.0.2.1";
const DAY = 86_400_000;

/** A TURN server and a peer on the internet, and a client behind a NAT that forgets in a minute. */
export class TurnScene {
  readonly network: Network;
  readonly server: Host;
  readonly client: Host;
  readonly peer: Host;

  constructor({ seed = 1, loss = 0, trace }: { seed?: number; loss?: number; trace?: Trace } = {}) {
    this.network = new Network({ seed, ...(trace ? { trace } : {}) });
    const link = { latency: 10, jitter: 2, loss };
    const internet = this.network.segment({ name: "internet", hops: 8, link });
    this.server = this.network.host({ name: "server" });
    this.server.attach(internet, { addresses: [SERVER, OTHER_SERVER] });
    this.peer = this.network.host({ name: "peer" });
    this.peer.attach(internet, { addresses: [PEER] });
    const nat = {
      mapping: "endpoint-independent",
      filtering: "address-and-port-dependent",
      ports: "random",
      lifetime: 60_000,
    } as const;
    this.client = home(this.network, { name: "client", uplink: internet, outer: ["5.0.1.7"], nat }).host;
  }

  model(address = SERVER): Promise<TurnModel> {
    return TurnModel.start(this.server.runtime, address);
  }

  allocate(options: { user?: typeof MODEL_USER; host?: string; family?: 4 | 6 } = {}): Promise<TurnSocket> {
    const { user = MODEL_USER, host = SERVER, ...family } = options;
    const way = { host, port: 3478, protocol: "udp" } as const;
    return allocate({ way, user, ...family }, this.client.runtime, new AbortController().signal);
  }

  /** A socket at the peer that sends everything back. */
  async echo(): Promise<DatagramSocket> {
    const socket = await this.peer.runtime.bindDatagram!({ address: PEER });
    socket.attach({ onDatagram: (data, remote) => void socket.send(data, remote) });
    return socket;
  }

  /** Runs `body` in virtual time, and sees that nothing is left. */
  async run(body: () => Promise<void>): Promise<void> {
    await this.network.clock.run(body, DAY);
    await this.network.clock.advanceAsync(5000);
    assert.deepEqual([this.network.openSockets(), this.network.clock.armed], [[], 0]);
  }

  async pass(ms: number): Promise<void> {
    const { clock } = this.network;
    await new Promise<void>((resolve) => clock.setTimer(clock.now() + ms, resolve));
  }
}

/** Counts what comes to a socket, and waits for it. */
export class Inbox {
  readonly texts: string[] = [];
  readonly from: SocketAddress[] = [];
  readonly errors: string[] = [];
  closed: { readonly error: Error | undefined } | undefined;
  #waiting: (() => void)[] = [];

  constructor(socket: DatagramSocket) {
    socket.attach({
      onDatagram: (data, remote) => {
        this.texts.push(new TextDecoder().decode(data));
        this.from.push(remote);
        this.#wake();
      },
      onSendError: (code) => {
        this.errors.push(code);
        this.#wake();
      },
      onClose: (error) => {
        this.closed = { error };
        this.#wake();
      },
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async until(condition: (inbox: this) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
