import type { Millis } from "../../src/contract/clock.ts";
import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import { SharedHost } from "../../src/host/shared-host.ts";
import type { NetSocket } from "../../src/host/stun-stream.ts";
import { TurnAcceptor } from "../../src/host/turn-acceptor.ts";
import { allocate } from "../../src/host/turn-allocate.ts";
import type { TurnWay } from "../../src/host/turn-link.ts";
import type { TurnSocket } from "../../src/host/turn-socket.ts";
import { UtpHost } from "../../src/host/utp-host.ts";
import { listenOn, packetsOver, requestOn, type TurnParts } from "./parts.ts";
import type { Relay, RelayOwner } from "./relay.ts";

/** Who has connected and does not begin to speak uTP in that time is no dialler (chosen). */
const SILENCE: Millis = 10_000;
/** Connections that have not begun to speak (chosen). */
const MAX_SILENT = 64;

/**
 * A TCP allocation (RFC 6062): peers connect, and each of their connections carries the packets of one uTP connection. TCP alone would
 * not do: a server ends both directions when one ends, and with them what is under way.
 */
export class StreamRelay implements Relay {
  readonly #parts: TurnParts;
  readonly #socket: TurnSocket;
  readonly #runtime: Runtime;
  readonly #owner: RelayOwner;
  readonly #acceptor: TurnAcceptor;
  readonly #open = new Set<SharedHost>();
  #silent = 0;
  #retired = false;

  /** Rejects as `allocate` does. */
  static async allocate(
    parts: TurnParts,
    family: 4 | 6,
    runtime: Runtime,
    signal: AbortSignal,
    owner: RelayOwner,
  ): Promise<StreamRelay> {
    const request = requestOn(parts, { family, peers: "tcp" }, runtime);
    const socket = await allocate(request, runtime, signal);
    return new StreamRelay(parts, request.way, socket, runtime, owner);
  }

  private constructor(
    parts: TurnParts,
    way: TurnWay,
    socket: TurnSocket,
    runtime: Runtime,
    owner: RelayOwner,
  ) {
    this.#parts = parts;
    this.#socket = socket;
    this.#runtime = runtime;
    this.#owner = owner;
    socket.unref();
    this.#acceptor = new TurnAcceptor(way, socket, runtime, (stream, remote) => this.#accept(stream, remote));
    this.#acceptor.onLost = (error) => owner.onLost(error);
  }

  get local(): SocketAddress {
    return this.#socket.local;
  }

  get lost(): boolean {
    return this.#socket.lost;
  }

  permit(address: string): Promise<void> {
    return this.#socket.permit(address);
  }

  keep(referenced: boolean): void {
    if (referenced) this.#socket.ref();
    else this.#socket.unref();
  }

  #accept(stream: NetSocket, peer: SocketAddress): void {
    if (this.#silent >= MAX_SILENT) {
      stream.destroy();
      return;
    }
    const { clock } = this.#runtime;
    const shared = new SharedHost(new UtpHost(packetsOver(stream, peer), this.#runtime));
    const { host } = shared;
    let listening = true;
    const settle = (): void => {
      if (!listening) return;
      listening = false;
      this.#silent--;
      timer.cancel();
      host.stopListening();
      shared.leave();
    };
    const timer = clock.setTimer(clock.now() + SILENCE, settle);
    this.#silent++;
    this.#open.add(shared);
    shared.onClosed = () => this.#closed(shared);
    host.onLost = settle;
    listenOn(this.#parts, shared, this.local, (channel) => {
      this.#owner.onChannel(channel);
      host.soon(settle);
    });
  }

  #closed(shared: SharedHost): void {
    this.#open.delete(shared);
    if (this.#retired && this.#open.size === 0) this.#socket.close();
  }

  async retire(): Promise<void> {
    this.#retired = true;
    this.#acceptor.close();
    await Promise.all(
      [...this.#open].map((shared) => {
        shared.host.stopListening();
        return shared.retire();
      }),
    );
    if (this.#open.size > 0) return;
    this.#socket.close();
    await this.#socket.closed;
  }
}
