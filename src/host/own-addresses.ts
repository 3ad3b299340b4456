import { ipScope } from "../base/ip.ts";
import { withoutZone } from "../base/socket-address.ts";
import type { Instant, Millis } from "../contract/clock.ts";
import type { Runtime } from "../contract/runtime.ts";

/** Asking the system takes longer than a packet; addresses change rarely (chosen). */
const LIFETIME: Millis = 5000;

/** Whether an address is this host's own, so that packets to it never leave. */
export class OwnAddresses {
  readonly #runtime: Runtime;
  #addresses = new Set<string>();
  #until: Instant = Number.NEGATIVE_INFINITY;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  has(address: string): boolean {
    if (ipScope(address) === "loopback") return true;
    const now = this.#runtime.clock.now();
    if (now >= this.#until) {
      this.#until = now + LIFETIME;
      this.#addresses = new Set(this.#runtime.interfaces().map((entry) => entry.address));
    }
    return this.#addresses.has(withoutZone(address));
  }
}
