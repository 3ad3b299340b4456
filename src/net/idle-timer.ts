import type { Clock, Instant, Millis, Timer } from "../contract/clock.ts";

/** Fires when nothing has been touched for a while. Touching is cheap: no timer is moved. */
export class IdleTimer {
  readonly #clock: Clock;
  readonly #fire: () => void;
  #ms: Millis = 0;
  #touched: Instant = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, fire: () => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  /** 0 switches it off. */
  set(ms: Millis): void {
    this.clear();
    this.#ms = ms;
    this.touch();
  }

  /** Puts the moment off. After it has fired, begins to wait again. */
  touch(): void {
    if (this.#ms === 0) return;
    this.#touched = this.#clock.now();
    if (!this.#timer) this.#arm();
  }

  clear(): void {
    this.#ms = 0;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(this.#touched + this.#ms, () => this.#expire());
    this.#timer.unref();
  }

  #expire(): void {
    this.#timer = undefined;
    if (this.#clock.now() < this.#touched + this.#ms) this.#arm();
    else this.#fire();
  }
}
