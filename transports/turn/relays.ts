import type { Runtime } from "../../src/contract/runtime.ts";
import { DatagramRelay } from "./datagram-relay.ts";
import type { TurnParts } from "./parts.ts";
import type { Relay, RelayOwner } from "./relay.ts";
import { StreamRelay } from "./stream-relay.ts";

/** How peers reach a relay. */
export type Peers = "udp" | "tcp";

const KINDS = { udp: DatagramRelay, tcp: StreamRelay } as const;

/** A listener's allocations: at most one of each family and kind, made when it is needed and made anew when it was lost. */
export class Relays {
  readonly #parts: TurnParts;
  readonly #runtime: Runtime;
  readonly #onChannel: RelayOwner["onChannel"];
  readonly #closing = new AbortController();
  /** By kind and family; a failed one is no longer there. */
  readonly #relays = new Map<string, Promise<Relay>>();
  readonly #open = new Set<Relay>();
  #referenced = true;

  constructor(parts: TurnParts, runtime: Runtime, onChannel: RelayOwner["onChannel"]) {
    this.#parts = parts;
    this.#runtime = runtime;
    this.#onChannel = onChannel;
  }

  /** The allocation with a relayed address of that family. Rejects as `allocate` does. */
  of(family: 4 | 6, peers: Peers = "udp"): Promise<Relay> {
    const key = `${peers} ${family}`;
    const known = this.#relays.get(key);
    if (known) return known;
    const relay = this.#allocate(key, family, peers);
    this.#relays.set(key, relay);
    relay.catch(() => this.#relays.delete(key));
    return relay;
  }

  async #allocate(key: string, family: 4 | 6, peers: Peers): Promise<Relay> {
    const { signal } = this.#closing;
    signal.throwIfAborted();
    const relay: Relay = await KINDS[peers].allocate(this.#parts, family, this.#runtime, signal, {
      onChannel: this.#onChannel,
      onLost: (error) => {
        this.#runtime.log("turn: %s", error.message);
        this.#open.delete(relay);
        this.#relays.delete(key);
      },
    });
    this.#open.add(relay);
    if (this.#referenced) relay.keep(true);
    return relay;
  }

  keep(referenced: boolean): void {
    if (this.#referenced === referenced) return;
    this.#referenced = referenced;
    for (const relay of this.#open) relay.keep(referenced);
  }

  /** Accepts nothing more. Resolves when the allocations are given back, or held by nothing but channels in use. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.keep(false);
    await Promise.allSettled(this.#relays.values());
    await Promise.all([...this.#open].map((relay) => relay.retire()));
  }
}
