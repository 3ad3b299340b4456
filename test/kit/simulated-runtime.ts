import { seededRandom } from "../../src/base/random.ts";
import type { Clock } from "../../src/contract/clock.ts";
import type { Runtime } from "../../src/contract/runtime.ts";

/** The runtime of a host without network, in the time of `clock`. */
export function simulatedRuntime(clock: Clock, seed = 1): Runtime {
  return { clock, random: seededRandom(seed), interfaces: () => [], log: () => {} };
}
