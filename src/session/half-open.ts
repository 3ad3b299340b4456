import type { Instant, Millis } from "../contract/clock.ts";
import type { Engine } from "../contract/engine.ts";

/** How many handshakes a listener has under way at most, and how long each may take. */
export interface HalfOpenLimits {
  readonly count: number;
  readonly deadline: Millis;
}

/** Chosen: some megabytes at worst, and longer than any honest race of attempts holds a confirmation back. */
export const DEFAULT_HALF_OPEN: HalfOpenLimits = { count: 1024, deadline: 15_000 };

/**
 * The handshakes a listener has under way. Its events are the entries to give up: those past their
 * deadline, and the oldest one when there are too many, for an honest one is done within a round trip.
 */
export class HalfOpen<Entry extends object> implements Engine<Entry, never> {
  readonly #limits: HalfOpenLimits;
  /** Oldest first, which is also the order of the deadlines. */
  readonly #deadlines = new Map<Entry, Instant>();
  readonly #expired: Entry[] = [];

  constructor(limits: HalfOpenLimits = DEFAULT_HALF_OPEN) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#deadlines.size;
  }

  add(entry: Entry, now: Instant): void {
    this.#deadlines.set(entry, now + this.#limits.deadline);
    if (this.#deadlines.size > this.#limits.count) this.#expireOldest();
  }

  /** It has settled. */
  delete(entry: Entry): void {
    this.#deadlines.delete(entry);
  }

  /** Empties the table; its entries are the caller's to give up. */
  takeAll(): Entry[] {
    const entries = [...this.#deadlines.keys()];
    this.#deadlines.clear();
    return entries;
  }

  handleTimeout(now: Instant): void {
    for (let next = this.pollTimeout(); next !== undefined && next <= now; next = this.pollTimeout()) {
      this.#expireOldest();
    }
  }

  pollTransmit(): undefined {
    return undefined;
  }

  /** An entry to abort; it is no longer in the table. */
  pollEvent(): Entry | undefined {
    return this.#expired.shift();
  }

  pollTimeout(): Instant | undefined {
    return this.#deadlines.values().next().value;
  }

  #expireOldest(): void {
    const [oldest] = this.#deadlines.keys();
    if (!oldest) return;
    this.#deadlines.delete(oldest);
    this.#expired.push(oldest);
  }
}
