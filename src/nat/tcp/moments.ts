import type { Instant, Millis } from "../../contract/clock.ts";

/** From one moment to the next (chosen: longer than the shifts, and 24 of them within the patience of both). */
const SLOT: Millis = 120;
/** What the opener shifts its moments by, later and then earlier (chosen in simulation, for errors up to 50 ms). */
const SHIFTS: readonly Millis[] = [0, 5, 20, 45, 2, 10, 33, 14, 27, 55];

/**
 * When somebody tries again who was refused, and so too early. Both sides have the same moments but for their error, which
 * is what the opener's shifts make up for: equal pauses would err for ever.
 */
export function nextMoment(beginsAt: Instant, now: Instant, opener: boolean): Instant {
  const slot = Math.floor((now - beginsAt) / SLOT) + 1;
  const shift = opener ? SHIFTS[Math.ceil(slot / 2) % SHIFTS.length]! : 0;
  return beginsAt + slot * SLOT + (slot % 2 === 0 ? -shift : shift);
}
