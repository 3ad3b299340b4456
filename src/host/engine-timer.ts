import type { Clock, Instant, Timer } from "../contract/clock.ts";

/** One timer for an engine whose deadlines mostly move later: it is armed anew only when it fired or must fire sooner. */
export class EngineTimer {
  readonly #clock: Clock;
  readonly #fire: () => void;
  #timer: Timer | undefined;
  #armedFor: Instant = Number.POSITIVE_INFINITY;
  #referenced = true;

  constructor(clock: Clock, fire: () => void) {
    this.#clock = clock;
    this.#fire = () => {
      this.#timer = undefined;
      this.#armedFor = Number.POSITIVE_INFINITY;
      fire();
    };
  }

  /** Fires at `at` or, if it was armed for it, sooner. */
  arm(at: Instant | undefined): void {
    if (at === undefined || at >= this.#armedFor) return;
    this.#timer?.cancel();
    this.#armedFor = at;
    this.#timer = this.#clock.setTimer(at, this.#fire);
    if (!this.#referenced) this.#timer.unref();
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  ref(): void {
    this.#referenced = true;
    this.#timer?.ref();
  }

  unref(): void {
    this.#referenced = false;
    this.#timer?.unref();
  }
}
