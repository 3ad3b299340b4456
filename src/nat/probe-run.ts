import { TokenBucket } from "../base/token-bucket.ts";
import type { Instant } from "../contract/clock.ts";

/** Probes of one run, and how many of them a second (DESIGN.md §8). */
export const MAX_PROBES = 2048;
const PROBES_PER_SECOND = 1000;
/** Runs that one process has at once (chosen: each may hold 256 sockets). */
const MAX_RUNS = 4;

/** The runs of a process: at most one against any IP at a time. */
export class ProbeRuns {
  readonly #addresses = new Set<string>();

  /** A run against that IP; undefined if one goes on there, or too many elsewhere. */
  begin(address: string): ProbeRun | undefined {
    if (this.#addresses.has(address) || this.#addresses.size >= MAX_RUNS) return undefined;
    this.#addresses.add(address);
    return new ProbeRun(address, () => void this.#addresses.delete(address));
  }
}

/** Many probes to one IP, counted and paced. */
export class ProbeRun {
  readonly address: string;
  readonly #end: () => void;
  readonly #rate = new TokenBucket(PROBES_PER_SECOND);
  #left = MAX_PROBES;
  #ended = false;

  constructor(address: string, end: () => void) {
    this.address = address;
    this.#end = end;
  }

  get spent(): boolean {
    return this.#left === 0;
  }

  /** Takes one probe; false if there is none left, or none yet. */
  take(now: Instant): boolean {
    if (this.#ended || this.#left === 0 || !this.#rate.take(now)) return false;
    this.#left--;
    return true;
  }

  /** Idempotent. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#end();
  }
}
