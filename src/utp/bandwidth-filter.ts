/** The most that was delivered per ms in this cycle of probing and the last (draft-ietf-ccwg-bbr §5.5.5). */
export class BandwidthFilter {
  max = 0;
  #last = 0;
  #present = 0;

  add(rate: number): void {
    if (rate > this.#present) this.#present = rate;
    if (rate > this.max) this.max = rate;
  }

  /** A new cycle begins. */
  turn(): void {
    if (this.#present === 0) return;
    this.#last = this.#present;
    this.#present = 0;
    this.max = this.#last;
  }
}
