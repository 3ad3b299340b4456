import type { Instant } from "../contract/clock.ts";

/**
 * The timers of one engine by name. An engine sets and clears deadlines and asks for the earliest;
 * it never sees a real timer.
 */
export class Deadlines<Name extends string> {
  readonly #at = new Map<Name, Instant>();

  set(name: Name, at: Instant): void {
    this.#at.set(name, at);
  }

  clear(name: Name): void {
    this.#at.delete(name);
  }

  clearAll(): void {
    this.#at.clear();
  }

  at(name: Name): Instant | undefined {
    return this.#at.get(name);
  }

  /** The earliest deadline, for `pollTimeout`. */
  next(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const at of this.#at.values()) if (earliest === undefined || at < earliest) earliest = at;
    return earliest;
  }

  /** Takes one deadline that has passed, the earliest first; call until undefined. */
  takeExpired(now: Instant): Name | undefined {
    let due: Name | undefined;
    let earliest = now;
    for (const [name, at] of this.#at) {
      if (at < earliest || (at === earliest && due === undefined)) {
        due = name;
        earliest = at;
      }
    }
    if (due !== undefined) this.#at.delete(due);
    return due;
  }
}

/** The first of some instants; undefined if there is none. */
export function earliest(instants: readonly (Instant | undefined)[]): Instant | undefined {
  let first: Instant | undefined;
  for (const at of instants) if (at !== undefined && (first === undefined || at < first)) first = at;
  return first;
}
