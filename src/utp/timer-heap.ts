import type { Instant } from "../contract/clock.ts";

/** What a TimerHeap orders. The heap alone writes these fields. */
export interface Timed {
  armedFor: Instant;
  /** Place in the heap, -1 outside. */
  heapIndex: number;
}

/** The earliest of many deadlines, of which most move later before they are due (a binary heap). */
export class TimerHeap<T extends Timed> {
  readonly #heap: T[] = [];

  /** The earliest deadline, which may be earlier than its owner's real one. */
  get next(): Instant | undefined {
    return this.#heap[0]?.armedFor;
  }

  /** Arms for `at` unless armed for an earlier instant; Infinity disarms nothing. */
  arm(item: T, at: Instant): void {
    if (at >= item.armedFor) return;
    item.armedFor = at;
    if (item.heapIndex < 0) {
      item.heapIndex = this.#heap.length;
      this.#heap.push(item);
    }
    this.#rise(item);
  }

  /** Takes the earliest if it is due. */
  takeDue(now: Instant): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.armedFor > now) return undefined;
    this.remove(first);
    return first;
  }

  remove(item: T): void {
    const { heapIndex } = item;
    if (heapIndex < 0) return;
    item.heapIndex = -1;
    item.armedFor = Number.POSITIVE_INFINITY;
    const last = this.#heap.pop()!;
    if (last === item) return;
    this.#place(last, heapIndex);
    this.#rise(last);
    this.#sink(last);
  }

  #rise(item: T): void {
    while (item.heapIndex > 0) {
      const parent = this.#heap[(item.heapIndex - 1) >> 1]!;
      if (parent.armedFor <= item.armedFor) return;
      this.#swap(parent, item);
    }
  }

  #sink(item: T): void {
    for (;;) {
      const left = 2 * item.heapIndex + 1;
      let child = this.#heap[left];
      if (!child) return;
      const right = this.#heap[left + 1];
      if (right && right.armedFor < child.armedFor) child = right;
      if (child.armedFor >= item.armedFor) return;
      this.#swap(item, child);
    }
  }

  #swap(upper: T, lower: T): void {
    const { heapIndex } = upper;
    this.#place(upper, lower.heapIndex);
    this.#place(lower, heapIndex);
  }

  #place(item: T, index: number): void {
    this.#heap[index] = item;
    item.heapIndex = index;
  }
}
