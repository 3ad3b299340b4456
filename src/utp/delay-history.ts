import type { Instant, Millis } from "../contract/clock.ts";

/** One minute a bucket, ten buckets (RFC 6817 §3.4.2: 10 minutes of base delays). */
const BUCKET: Millis = 60_000;
const BUCKETS = 10;
/** Samples whose least counts as the current delay (RFC 6817 §3.4.2 leaves it at 1 to a round trip's worth). */
const CURRENT = 4;
/** A base that falls by more than this at once is a clock that was set, not drift (chosen as libutp). */
const MAX_DRIFT = 10_000;

/**
 * Turns one-way delays by unrelated clocks into queueing delay: what is above the least of the last minutes. All in µs;
 * samples are modulo 2^32 and are kept as distances from the first one.
 */
export class DelayHistory {
  /** The least of the last minutes. */
  base = Number.POSITIVE_INFINITY;
  #origin: number | undefined;
  #buckets: number[] = [];
  #bucketEnds: Instant = 0;
  readonly #current: number[] = [];
  #position = 0;

  /** Takes a sample. Returns by how much the base fell, 0 for the first one and for jumps. */
  add(sample: number, now: Instant): number {
    this.#origin ??= sample;
    const delay = (sample - this.#origin) | 0;
    this.#current[this.#position++ % CURRENT] = delay;
    if (now >= this.#bucketEnds) this.#turn(now);
    const last = this.#buckets.length - 1;
    if (delay < this.#buckets[last]!) this.#buckets[last] = delay;
    const before = this.base;
    this.base = Math.min(...this.#buckets);
    const fall = before - this.base;
    return fall > 0 && fall <= MAX_DRIFT ? fall : 0;
  }

  /** Queueing delay in µs. */
  get queueing(): number {
    return this.#current.length === 0 ? 0 : Math.max(0, Math.min(...this.#current) - this.base);
  }

  /** The clocks have drifted: the base rises by that much. */
  shift(by: number): void {
    for (let i = 0; i < this.#buckets.length; i++) this.#buckets[i]! += by;
    this.base += by;
  }

  #turn(now: Instant): void {
    this.#bucketEnds = now + BUCKET;
    this.#buckets.push(Number.POSITIVE_INFINITY);
    if (this.#buckets.length > BUCKETS) this.#buckets.shift();
  }
}
