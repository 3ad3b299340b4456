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
   * Ms after the start before it; 0 starts with it. Any failure begins the next one at once, except
   * that Infinity waits until all that were started have failed.
   */
  readonly startAfter: Millis;
}

/** Decides in which order and how soon candidates are tried. Pure. */
export interface Scheduler {
  /** `candidates` come sorted, cheapest first. What the plan leaves out is not tried. */
  plan(candidates: readonly Candidate[]): readonly PlannedAttempt[];
}
