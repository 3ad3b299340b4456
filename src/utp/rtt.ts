import type { Instant, Millis } from "../contract/clock.ts";

/** RFC 6298 §2.1. */
const INITIAL_RTO: Millis = 1000;
/** RFC 6298 §2.5. */
const MAX_RTO: Millis = 60_000;
/** Tries a peer that answers nothing gets at least before it is given up, so that heavy loss is no silence (chosen). */
const LEAST_TRIES = 8;
/** Least share of variance in the RTO: our peers' event loops have a granularity of about 1 ms. */
const GRANULARITY: Millis = 1;
/** RFC 8985 §6.3 suggests minutes: a path may have become longer for good. */
const MIN_RTT_LIFETIME: Millis = 300_000;

/** Round-trip time and retransmission time-out (RFC 6298). */
export class RoundTripTime {
  /** Smoothed; 0 before the first sample. */
  smoothed: Millis = 0;
  variation: Millis = 0;
  latest: Millis = 0;
  /** The least seen in the last minutes; Infinity before the first sample. */
  min: Millis = Number.POSITIVE_INFINITY;
  #minAt: Instant = 0;
  readonly #minRto: Millis;
  readonly #maxBackedOff: Millis;

  /** `patience`: how long a silent peer is waited for. */
  constructor(minRto: Millis, patience: Millis) {
    this.#minRto = minRto;
    this.#maxBackedOff = Math.min(MAX_RTO, patience / LEAST_TRIES);
  }

  sample(rtt: Millis, now: Instant): void {
    this.latest = rtt;
    if (rtt <= this.min || now - this.#minAt > MIN_RTT_LIFETIME) {
      this.min = rtt;
      this.#minAt = now;
    }
    if (this.smoothed === 0) {
      this.smoothed = rtt;
      this.variation = rtt / 2;
      return;
    }
    this.variation += (Math.abs(this.smoothed - rtt) - this.variation) / 4;
    this.smoothed += (rtt - this.smoothed) / 8;
  }

  /** The retransmission time-out without back-off. */
  get rto(): Millis {
    if (this.smoothed === 0) return Math.max(INITIAL_RTO, this.#minRto);
    const rto = this.smoothed + Math.max(GRANULARITY, 4 * this.variation);
    return Math.min(MAX_RTO, Math.max(this.#minRto, rto));
  }

  /** The time-out after `attempts` vain ones (RFC 6298 §5.5, with a bound that fits the patience). */
  backedOff(attempts: number): Millis {
    const { rto } = this;
    return Math.max(rto, Math.min(this.#maxBackedOff, rto * 2 ** Math.min(attempts, 10)));
  }
}
