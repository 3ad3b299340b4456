import type { Instant, Millis } from "../contract/clock.ts";

/** Most unread bytes of one connection (chosen: 1 Gbit/s over 64 ms; Linux's default for TCP is 6 MB). */
const MAX_CAPACITY = 8 * 1024 * 1024;
/** What two event loops add to a round trip: bytes of that time are in socket buffers, not on the wire (chosen). */
const LOOP_TIME: Millis = 1;
/** The window is twice what the path is seen to carry, so that slow start can double (as Linux's receive autotuning). */
const HEADROOM = 2;

/**
 * Grows the receive window with the path. What waits in the socket's buffer is bounded by it, but bytes on the wire are not:
 * a long path may have as many more in flight as it carries in one round trip.
 */
export class WindowTuning {
  readonly #base: number;
  #minRtt: Millis = Number.POSITIVE_INFINITY;
  #since: Instant = 0;
  #consumed = 0;

  constructor(base: number) {
    this.#base = base;
  }

  /** What the window should be: `consumed` is how much was read so far, `rtt` the present round trip. */
  capacity(consumed: number, rtt: Millis, now: Instant): number {
    if (rtt < this.#minRtt) this.#minRtt = rtt;
    const elapsed = now - this.#since;
    if (elapsed < this.#minRtt || elapsed < LOOP_TIME) return this.#base;
    const onWire = ((consumed - this.#consumed) / elapsed) * Math.max(0, this.#minRtt - LOOP_TIME);
    this.#since = now;
    this.#consumed = consumed;
    return Math.min(Math.floor(this.#base + HEADROOM * onWire), Math.max(MAX_CAPACITY, this.#base));
  }
}
