import type { Instant } from "../contract/clock.ts";
import type { Engine } from "../contract/engine.ts";
import type { PlannedAttempt } from "../contract/scheduler.ts";

/** The attempt with this index in the plan is due. */
export interface RaceStart {
  readonly index: number;
}

/**
 * Says when each attempt of a plan begins. It knows nothing of what an attempt is: it is told of
 * failures, and whoever drives it stops it when one has won.
 */
export class Race implements Engine<RaceStart, never> {
  readonly #plan: readonly PlannedAttempt[];
  readonly #due: RaceStart[] = [];
  #started = 0;
  #failed = 0;
  #nextAt: Instant | undefined;

  constructor(plan: readonly PlannedAttempt[]) {
    this.#plan = plan;
  }

  /** Begins the first attempt, and those that start together with it. */
  start(now: Instant): void {
    if (this.#started === 0 && this.#plan.length > 0) this.#begin(now);
  }

  /** One started attempt has failed: the next begins at once, unless it waits for all. */
  attemptFailed(now: Instant): void {
    this.#failed += 1;
    const next = this.#plan[this.#started];
    if (!next) return;
    if (next.startAfter !== Infinity || this.#failed === this.#started) this.#begin(now);
  }

  handleTimeout(now: Instant): void {
    if (this.#nextAt !== undefined && this.#nextAt <= now) this.#begin(now);
  }

  pollTransmit(): undefined {
    return undefined;
  }

  pollEvent(): RaceStart | undefined {
    return this.#due.shift();
  }

  pollTimeout(): Instant | undefined {
    return this.#nextAt;
  }

  #begin(now: Instant): void {
    let startAfter = 0;
    while (startAfter === 0 && this.#started < this.#plan.length) {
      this.#due.push({ index: this.#started });
      this.#started += 1;
      startAfter = this.#plan[this.#started]?.startAfter ?? Infinity;
    }
    this.#nextAt = startAfter === Infinity ? undefined : now + startAfter;
  }
}
