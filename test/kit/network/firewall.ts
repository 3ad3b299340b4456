import type { Instant } from "../../../src/contract/clock.ts";
import { type Dependence, Filter, type Lifetimes } from "./filter.ts";
import type { Middlebox, Verdict } from "./middlebox.ts";
import { endpointKey, type Packet } from "./packet.ts";

/** A stateful firewall without translation, as home routers have for IPv6 (RFC 6092). */
export interface FirewallOptions extends Lifetimes {
  /** `address-and-port-dependent` if absent. */
  readonly filtering?: Dependence;
}

/** Lets in only what answers something that went out. */
export class Firewall implements Middlebox {
  readonly #options: FirewallOptions;
  readonly #filters = new Map<string, Filter>();

  constructor(options: FirewallOptions = {}) {
    this.#options = options;
  }

  outbound(packet: Packet, now: Instant): Verdict {
    if (!packet.refused) this.#filterOf(endpointKey(packet.source)).outbound(packet.target, now);
    return { packet, to: "outside" };
  }

  inbound(packet: Packet, now: Instant): Verdict {
    const { source, target } = packet.refused ?? { source: packet.target, target: packet.source };
    const filter = this.#filters.get(endpointKey(source));
    if (!filter) return { drop: "filtered" };
    // An error about a datagram of ours is let in as long as the firewall remembers us.
    const allowed = packet.refused ? filter.alive(now) : filter.inbound(target, now);
    return allowed ? { packet, to: "inside" } : { drop: "filtered" };
  }

  reboot(): void {
    this.#filters.clear();
  }

  #filterOf(key: string): Filter {
    const known = this.#filters.get(key);
    if (known) return known;
    const filter = new Filter(this.#options.filtering ?? "address-and-port-dependent", this.#options);
    this.#filters.set(key, filter);
    return filter;
  }
}
