import type { Instant } from "../../src/contract/clock.ts";

/** One value and the instant it belongs to. */
export interface TimelineEntry<T> {
  readonly at: Instant;
  readonly order: number;
  readonly value: T;
}

/** Values ordered by instant and, within one instant, by the order they were added in (a binary heap). */
export class Timeline<T> {
  #heap: TimelineEntry<T>[] = [];
  #added = 0;

  get size(): number {
    return this.#heap.length;
  }

  add(at: Instant, value: T): void {
    this.#insert({ at, order: this.#added++, value });
  }

  /** The earliest entry, which stays. */
  peek(): TimelineEntry<T> | undefined {
    return this.#heap[0];
  }

  /** Takes the earliest entry. */
  take(): TimelineEntry<T> | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    this.#sink(last);
    return first;
  }

  /** Removes every value that `keep` refuses. */
  filter(keep: (value: T) => boolean): void {
    const kept = this.#heap.filter((entry) => keep(entry.value));
    this.#heap = [];
    for (const entry of kept) this.#insert(entry);
  }

  #insert(entry: TimelineEntry<T>): void {
    const heap = this.#heap;
    let hole = heap.length;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[hole] = heap[parent]!;
      hole = parent;
    }
    heap[hole] = entry;
  }

  /** Puts `entry` in place of the first one. */
  #sink(entry: TimelineEntry<T>): void {
    const heap = this.#heap;
    const { length } = heap;
    let hole = 0;
    for (let child = 1; child < length; child = 2 * hole + 1) {
      if (child + 1 < length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, entry)) break;
      heap[hole] = heap[child]!;
      hole = child;
    }
    heap[hole] = entry;
  }
}

function before(a: TimelineEntry<unknown>, b: TimelineEntry<unknown>): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
