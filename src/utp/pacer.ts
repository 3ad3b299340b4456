import type { Instant, Millis } from "../contract/clock.ts";

/** Packets leave this much early, since timers are no finer (chosen). */
const SLACK: Millis = 1;

/** Spreads packets over time at the rate a controller asks for. */
export class Pacer {
  /** Something waits for its time to leave. */
  waiting = false;
  #until: Instant = 0;

  /** Whether a packet has to wait. */
  holds(now: Instant): boolean {
    return this.#until - SLACK > now;
  }

  /** A packet leaves; `rate` in bytes per ms, Infinity: no pacing. */
  sent(bytes: number, rate: number, now: Instant): void {
    this.#until = rate === Number.POSITIVE_INFINITY ? 0 : Math.max(now, this.#until) + bytes / rate;
  }

  /** When what waits may leave; Infinity if nothing does. */
  get deadline(): Instant {
    return this.waiting ? this.#until - SLACK : Number.POSITIVE_INFINITY;
  }
}
