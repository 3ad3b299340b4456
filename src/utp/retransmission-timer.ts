import type { Instant, Millis } from "../contract/clock.ts";
import type { RoundTripTime } from "./rtt.ts";

/** Least wait before a tail loss probe: what two event loops may take to answer (chosen). */
const MIN_PROBE_TIMEOUT: Millis = 10;
/** The zero-window probe backs off to this (RFC 9293 §3.8.6.1 asks for back-off and leaves the bound). */
const MAX_PERSIST: Millis = 15_000;

/**
 * When to send without being asked: a tail loss probe first (RFC 8985 §7), then RTO with back-off (RFC 6298), and the same
 * back-off for probing a closed window.
 */
export class RetransmissionTimer {
  at: Instant = Number.POSITIVE_INFINITY;
  /** Consecutive time-outs. */
  timeouts = 0;
  #probed = false;
  readonly #rtt: RoundTripTime;

  constructor(rtt: RoundTripTime) {
    this.#rtt = rtt;
  }

  get running(): boolean {
    return this.at !== Number.POSITIVE_INFINITY;
  }

  /** Something was acknowledged, or the peer's window opened: patience starts anew. */
  reset(): void {
    this.timeouts = 0;
    this.#probed = false;
  }

  /** `closed`: the peer's window is, so that only its answers tell anything. */
  start(now: Instant, closed: boolean): void {
    this.at = now + (this.#mayProbe(closed) ? this.#probeTimeout() : this.#timeout(closed));
  }

  stop(): void {
    this.at = Number.POSITIVE_INFINITY;
  }

  /** It has fired. True: probe once before anything counts as lost. False: a time-out. */
  fire(now: Instant, closed: boolean): boolean {
    const probe = this.#mayProbe(closed);
    if (probe) this.#probed = true;
    else this.timeouts++;
    this.at = now + this.#timeout(closed);
    return probe;
  }

  #timeout(closed: boolean): Millis {
    const timeout = this.#rtt.backedOff(this.timeouts);
    return closed ? Math.min(timeout, MAX_PERSIST) : timeout;
  }

  #mayProbe(closed: boolean): boolean {
    return !closed && !this.#probed && this.timeouts === 0 && this.#rtt.smoothed > 0;
  }

  #probeTimeout(): Millis {
    const { smoothed, variation, rto } = this.#rtt;
    return Math.min(rto, Math.max(2 * smoothed, smoothed + 4 * variation, MIN_PROBE_TIMEOUT));
  }
}
