import { endpointFamily, isNear } from "../base/endpoint.ts";
import type { Endpoint } from "../contract/endpoint.ts";
import type { Transport } from "../contract/transport.ts";

/** go-libp2p: fewer than 5 successes in the last 100 dials is a black hole. */
const WINDOW = 100;
const ENOUGH = 5;

/**
 * Remembers whether UDP or IPv6 ever works here beyond the LAN, about which dials within it say nothing.
 * Suspects are tried last, never left out.
 */
export class BlackHoles {
  readonly #udp = new Outcomes();
  readonly #ipv6 = new Outcomes();

  /** Whoever is signaled may be offline: that says nothing of the network. */
  record(transport: Transport, endpoint: Endpoint, succeeded: boolean): void {
    if (endpointFamily(endpoint) === 0) return;
    for (const outcomes of this.#of(transport, endpoint)) outcomes.add(succeeded);
  }

  suspects(transport: Transport, endpoint: Endpoint): boolean {
    return this.#of(transport, endpoint).some((outcomes) => outcomes.isBlackHole);
  }

  #of(transport: Transport, endpoint: Endpoint): Outcomes[] {
    const kinds: Outcomes[] = [];
    if (transport.traits.datagrams) kinds.push(this.#udp);
    if (endpointFamily(endpoint) === 6) kinds.push(this.#ipv6);
    return kinds.length > 0 && isNear(endpoint) ? [] : kinds;
  }
}

class Outcomes {
  readonly #ring = new Uint8Array(WINDOW);
  #count = 0;
  #successes = 0;

  get isBlackHole(): boolean {
    return this.#count >= WINDOW && this.#successes < ENOUGH;
  }

  add(succeeded: boolean): void {
    // One success is proof that the path exists: counting begins anew.
    if (succeeded && this.isBlackHole) this.#count = 0;
    const at = this.#count % WINDOW;
    const value = succeeded ? 1 : 0;
    this.#successes += value - this.#ring[at]!;
    this.#ring[at] = value;
    this.#count += 1;
  }
}
