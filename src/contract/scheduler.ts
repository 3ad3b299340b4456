import type { Millis } from "./clock.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Transport } from "./transport.ts";

/** An endpoint together with a transport that accepts it. */
export interface Candidate {
  readonly transport: Transport;
  readonly endpoint: Endpoint;
  /** The transport's cost, raised for paths that keep failing in this process. */
  readonly cost: number;
}

/** One start in a plan. */
export interface PlannedAttempt {
  readonly candidate: Candidate;
  /**
   * Ms after the start before it; 0 starts with it, Infinity waits until every started attempt has
   * failed. A failure of the latest start begins the next one at once.
   */
  readonly startAfter: Millis;
}

/** Decides in which order and how soon candidates are tried. Pure. */
export interface Scheduler {
  /** `candidates` come sorted, cheapest first. What the plan leaves out is not tried. */
  plan(candidates: readonly Candidate[]): readonly PlannedAttempt[];
}
