import { isNear } from "../base/endpoint.ts";
import type { Millis } from "../contract/clock.ts";
import type { Candidate, PlannedAttempt, Scheduler } from "../contract/scheduler.ts";

/** RFC 8305 §8, "Connection Attempt Delay". */
const ATTEMPT_DELAY: Millis = 250;

/** Chosen as go-libp2p does for private addresses: a neighbour answers within it. */
const NEAR_ATTEMPT_DELAY: Millis = 30;

/** One candidate at a time, cheapest first; the next begins when the one before it has failed. */
export class SequentialScheduler implements Scheduler {
  plan(candidates: readonly Candidate[]): readonly PlannedAttempt[] {
    return candidates.map((candidate) => ({ candidate, startAfter: Infinity }));
  }
}

/** All candidates at once. */
export class ParallelScheduler implements Scheduler {
  plan(candidates: readonly Candidate[]): readonly PlannedAttempt[] {
    return candidates.map((candidate) => ({ candidate, startAfter: 0 }));
  }
}

/**
 * Cheapest first, each next one after a head start (Happy Eyeballs, RFC 8305 §5): 250 ms, or 30 ms
 * after a candidate on this host or LAN.
 */
export class StaggeredScheduler implements Scheduler {
  plan(candidates: readonly Candidate[]): readonly PlannedAttempt[] {
    return candidates.map((candidate, i) => ({
      candidate,
      startAfter: i > 0 && isNear(candidates[i - 1]!.endpoint) ? NEAR_ATTEMPT_DELAY : ATTEMPT_DELAY,
    }));
  }
}
