import type { Millis } from "../contract/clock.ts";
import type { Random } from "../contract/runtime.ts";
import { random16 } from "./random.ts";

/** The longest first and the longest delay at all, in ms (chosen: a restart is short, a day without network long). */
const FIRST = 1_000;
const LONGEST = 60_000;

/**
 * How long to wait before the next try, after so many failures in a row: a random part of what doubles with each. Clients
 * that lost a server together do not come back together.
 */
export function backOff(failures: number, random: Random): Millis {
  return (Math.min(LONGEST, FIRST * 2 ** Math.min(failures, 16)) * random16(random)) / 0x10000;
}
