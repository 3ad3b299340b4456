import type { SeededRandom } from "../../../src/base/random.ts";

/**
 * Which outer port a new mapping gets: the inner one if it is free (else a random one), the last one plus
 * `step`, or any.
 */
export type PortPolicy = "preserving" | "random" | { readonly sequential: number };

/** Outer ports a NAT hands out (RFC 4787 REQ-3: not the well-known ones). */
const FIRST = 1024;
const COUNT = 65536 - FIRST;

/** Tries of a random policy before it searches in order. */
const RANDOM_TRIES = 64;

/** Hands out outer ports by a policy. */
export class PortAllocator {
  readonly #policy: PortPolicy;
  readonly #random: SeededRandom;
  #last: number;

  constructor(policy: PortPolicy, random: SeededRandom) {
    this.#policy = policy;
    this.#random = random;
    this.#last = this.#anyPort();
  }

  /** The port the policy wants, or the next best that is `free`; undefined if none is. */
  allocate(innerPort: number, free: (port: number) => boolean): number | undefined {
    if (typeof this.#policy === "object") return this.#step(this.#policy.sequential, free);
    if (this.#policy === "preserving" && innerPort >= FIRST && free(innerPort)) return innerPort;
    for (let i = 0; i < RANDOM_TRIES; i++) {
      const port = this.#anyPort();
      if (free(port)) return port;
    }
    this.#last = this.#anyPort();
    return this.#step(1, free);
  }

  /** Forgets where the sequence was, as a reboot does. */
  reset(): void {
    this.#last = this.#anyPort();
  }

  #step(step: number, free: (port: number) => boolean): number | undefined {
    let port = this.#last;
    for (let i = 0; i < COUNT; i++) {
      port = FIRST + ((((port - FIRST + step) % COUNT) + COUNT) % COUNT);
      if (!free(port)) continue;
      this.#last = port;
      return port;
    }
    return undefined;
  }

  #anyPort(): number {
    return FIRST + this.#random.integer(COUNT);
  }
}
