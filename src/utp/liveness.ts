import type { Instant, Millis } from "../contract/clock.ts";

/** No progress for so many time-outs' length is a dead path although other packets come (chosen). */
const STUCK_FACTOR = 4;

/** Asks a silent peer whether it lives, and says when to give it up. */
export class Liveness {
  /** When anything valid last came. */
  heardAt: Instant;
  keepAlive: Millis | false;
  readonly timeout: Millis;
  #askedAt: Instant = Number.NEGATIVE_INFINITY;
  #unanswered: Instant | undefined;

  constructor(now: Instant, keepAlive: Millis | false, timeout: Millis) {
    this.heardAt = now;
    this.keepAlive = keepAlive;
    this.timeout = timeout;
  }

  heard(now: Instant): void {
    this.heardAt = now;
    this.#unanswered = undefined;
  }

  /** When the next question is due. */
  get askAt(): Instant {
    if (this.keepAlive === false) return Number.POSITIVE_INFINITY;
    const again = this.#askedAt + Math.min(this.keepAlive, this.timeout / 5);
    return Math.max(this.heardAt + this.keepAlive, again);
  }

  asked(now: Instant): void {
    this.#askedAt = now;
    this.#unanswered ??= now;
  }

  /**
   * When the peer is given up: `owedSince` is when what it has not acknowledged last saw progress, undefined if it
   * owes nothing.
   */
  giveUpAt(owedSince: Instant | undefined): Instant {
    const asked = this.#unanswered === undefined ? Number.POSITIVE_INFINITY : this.#unanswered + this.timeout;
    if (owedSince === undefined) return asked;
    const silent = Math.max(owedSince, this.heardAt) + this.timeout;
    return Math.min(asked, silent, owedSince + STUCK_FACTOR * this.timeout);
  }
}
