import type { Instant, Millis } from "../contract/clock.ts";

/** Chosen: a path's round trip is worth measuring anew after this long. */
const FRESH: Millis = 10_000;

/** Weight of a new sample (RFC 6298 §2). */
const ALPHA = 1 / 8;

/** How long a PING takes to come back, smoothed. One is under way at a time. */
export class RoundTrip {
  /** Undefined until the first PONG. */
  smoothed: Millis | undefined;
  #token = 0;
  #sentAt: Instant | undefined;
  #measuredAt: Instant | undefined;

  /** Nothing is known, or nothing of late. */
  isStale(now: Instant): boolean {
    if (this.#sentAt !== undefined) return false;
    return this.#measuredAt === undefined || now - this.#measuredAt > FRESH;
  }

  /** The token of the PING that is sent now. */
  begin(now: Instant): number {
    this.#token = (this.#token + 1) >>> 0;
    this.#sentAt = now;
    return this.#token;
  }

  /** PONGs to other tokens than the last one's tell nothing. */
  end(token: number, now: Instant): void {
    if (token !== this.#token || this.#sentAt === undefined) return;
    const sample = now - this.#sentAt;
    this.smoothed = this.smoothed === undefined ? sample : this.smoothed + ALPHA * (sample - this.smoothed);
    this.#sentAt = undefined;
    this.#measuredAt = now;
  }
}
