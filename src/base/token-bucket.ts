import type { Instant } from "../contract/clock.ts";

/** Lets so many things a second happen, and as many at once. */
export class TokenBucket {
  readonly #rate: number;
  #tokens: number;
  #at: Instant = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number) {
    this.#rate = perSecond;
    this.#tokens = perSecond;
  }

  /** Takes one; false if there is none. */
  take(now: Instant): boolean {
    this.#tokens = Math.min(this.#rate, this.#tokens + ((now - this.#at) * this.#rate) / 1000);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
