import type { Instant, Millis } from "../contract/clock.ts";

/** What a connection may leave unread before it has read much: many at once are to stay affordable (chosen). */
const FIRST_CAPACITY = 64 * 1024;
/** Most unread bytes of one connection (chosen: 1 Gbit/s over 64 ms; Linux's default for TCP is 6 MB). */
const MAX_CAPACITY = 8 * 1024 * 1024;
/** What two event loops add to a round trip: bytes of that time are in socket buffers, not on the wire (chosen). */
const LOOP_TIME: Millis = 1;
/** The window is twice what is seen to be read, so that slow start can double (as Linux's receive autotuning). */
const HEADROOM = 2;
/** On the wire twice as much again: what waits for a packet that is sent again counts too (chosen: one round of repair). */
const REPAIR = 2;

/** The window of a new connection: `share` is what may wait in the socket's buffer. */
export function firstWindow(share: number): number {
  return Math.min(FIRST_CAPACITY, share);
}

/**
 * Grows the receive window with what is read. What waits in the socket's buffer is bounded by its size, but bytes on the wire
 * are not: a long path may have as many more in flight as it carries in one round trip.
 */
export class WindowTuning {
  readonly #share: number;
  #minRtt: Millis = Number.POSITIVE_INFINITY;
  #since: Instant = 0;
  #consumed = 0;

  /** `share`: bytes that may wait in the socket's buffer. */
  constructor(share: number) {
    this.#share = share;
  }

  /** What the window may be by now, 0 if that is not known yet: `consumed` is how much was read so far, `rtt` the present round trip. */
  capacity(consumed: number, rtt: Millis, now: Instant): number {
    if (rtt < this.#minRtt) this.#minRtt = rtt;
    const elapsed = now - this.#since;
    if (elapsed < this.#minRtt || elapsed < LOOP_TIME) return 0;
    const rate = (consumed - this.#consumed) / elapsed;
    this.#since = now;
    this.#consumed = consumed;
    const inBuffer = HEADROOM * rate * Math.max(this.#minRtt, LOOP_TIME);
    const onWire = HEADROOM * REPAIR * rate * Math.max(0, this.#minRtt - LOOP_TIME);
    const window = Math.min(this.#share, Math.max(firstWindow(this.#share), inBuffer)) + onWire;
    return Math.floor(Math.min(window, Math.max(MAX_CAPACITY, this.#share)));
  }
}
