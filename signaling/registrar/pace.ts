import type { Instant, Millis } from "../../src/contract/clock.ts";

/** What may pass at once after a pause, as a part of what may pass in a second (chosen: smooth enough for a network). */
const BURST = 0.25;

/** Spreads bytes over time: whoever has sent waits until a second's share has room again. */
export class Pace {
  readonly #rate: number;
  #room: number;
  #at: Instant = Number.NEGATIVE_INFINITY;

  constructor(bytesPerSecond: number) {
    this.#rate = bytesPerSecond;
    this.#room = bytesPerSecond * BURST;
  }

  /** Ms until something may be sent; 0: now. */
  wait(now: Instant): Millis {
    this.#room = Math.min(this.#rate * BURST, this.#room + ((now - this.#at) * this.#rate) / 1000);
    this.#at = now;
    return this.#room > 0 ? 0 : (-this.#room * 1000) / this.#rate + 1;
  }

  /** Call after `wait` has said 0. */
  spend(bytes: number): void {
    this.#room -= bytes;
  }
}
