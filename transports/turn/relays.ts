import { socketEndpoint } from "../../src/base/socket-address.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import { SharedHost } from "../../src/host/shared-host.ts";
import type { TurnSocket } from "../../src/host/turn-socket.ts";
import { UtpHost } from "../../src/host/utp-host.ts";
import { allocateOn, type TurnParts, turnChannel } from "./parts.ts";

/** An allocation that accepts connections. */
export interface Relay {
  readonly socket: TurnSocket;
  readonly shared: SharedHost;
}

/** A listener's allocations: at most one of each family, made when it is needed and made anew when it was lost. */
export class Relays {
  readonly #parts: TurnParts;
  readonly #runtime: Runtime;
  readonly #onChannel: (channel: Channel) => void;
  readonly #closing = new AbortController();
  /** By family; a failed one is no longer there. */
  readonly #relays = new Map<4 | 6, Promise<Relay>>();
  readonly #open = new Set<Relay>();
  #referenced = true;

  constructor(parts: TurnParts, runtime: Runtime, onChannel: (channel: Channel) => void) {
    this.#parts = parts;
    this.#runtime = runtime;
    this.#onChannel = onChannel;
  }

  /** The allocation with a relayed address of that family. Rejects as `allocate` does. */
  of(family: 4 | 6): Promise<Relay> {
    const known = this.#relays.get(family);
    if (known) return known;
    const relay = this.#allocate(family);
    this.#relays.set(family, relay);
    relay.catch(() => this.#relays.delete(family));
    return relay;
  }

  async #allocate(family: 4 | 6): Promise<Relay> {
    const { signal } = this.#closing;
    signal.throwIfAborted();
    // IPv4 is what servers give unasked, also those that do not know families.
    const asked = family === 4 ? undefined : family;
    const socket = await allocateOn(this.#parts, this.#runtime, signal, asked);
    const shared = new SharedHost(new UtpHost(socket, this.#runtime));
    const relay = { socket, shared };
    this.#open.add(relay);
    if (this.#referenced) shared.keep(true);
    const { type, connection: options } = this.#parts;
    shared.host.listen((connection) => {
      const { address, port } = connection.remote;
      const remote = socketEndpoint(type, address, port);
      const { local } = socket;
      this.#onChannel(turnChannel({ type, shared, connection, local, remote, firstFlightSent: false }));
    }, options);
    shared.host.onLost = (error) => {
      this.#runtime.log("turn: %s", error.message);
      this.#open.delete(relay);
      this.#relays.delete(family);
    };
    return relay;
  }

  keep(referenced: boolean): void {
    if (this.#referenced === referenced) return;
    this.#referenced = referenced;
    for (const { shared } of this.#open) shared.keep(referenced);
  }

  /** Accepts nothing more. Resolves when the allocations are given back, or held by nothing but channels in use. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.keep(false);
    await Promise.allSettled(this.#relays.values());
    await Promise.all(
      [...this.#open].map(async ({ shared, socket }) => {
        shared.host.stopListening();
        await shared.retire();
        if (shared.host.endpoint.size === 0) await socket.closed;
      }),
    );
  }
}
