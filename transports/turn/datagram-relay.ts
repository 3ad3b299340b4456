import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import { SharedHost } from "../../src/host/shared-host.ts";
import { allocate } from "../../src/host/turn-allocate.ts";
import type { TurnSocket } from "../../src/host/turn-socket.ts";
import { UtpHost } from "../../src/host/utp-host.ts";
import { listenOn, requestOn, type TurnParts } from "./parts.ts";
import type { Relay, RelayOwner } from "./relay.ts";

/** An allocation on which uTP listens: peers send datagrams. */
export class DatagramRelay implements Relay {
  readonly #socket: TurnSocket;
  readonly #shared: SharedHost;

  /** Rejects as `allocate` does. */
  static async allocate(
    parts: TurnParts,
    family: 4 | 6,
    runtime: Runtime,
    signal: AbortSignal,
    owner: RelayOwner,
  ): Promise<DatagramRelay> {
    const request = requestOn(parts, { family }, runtime);
    const socket = await allocate(request, runtime, signal);
    return new DatagramRelay(parts, socket, runtime, owner);
  }

  private constructor(parts: TurnParts, socket: TurnSocket, runtime: Runtime, owner: RelayOwner) {
    const shared = new SharedHost(new UtpHost(socket, runtime));
    this.#socket = socket;
    this.#shared = shared;
    listenOn(parts, shared, socket.local, (channel) => owner.onChannel(channel));
    shared.host.onLost = (error) => owner.onLost(error);
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
    this.#shared.keep(referenced);
  }

  async retire(): Promise<void> {
    const { host } = this.#shared;
    host.stopListening();
    await this.#shared.retire();
    if (host.endpoint.size === 0) await this.#socket.closed;
  }
}
