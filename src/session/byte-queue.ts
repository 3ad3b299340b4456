import { concat } from "../base/bytes.ts";

/** Chosen: chunks this small are joined, so that a peer's single bytes do not cost an object each. */
const SMALL = 512;

/** Bytes in order, put in by chunks. */
export class ByteQueue {
  readonly #chunks: (Uint8Array | undefined)[] = [];
  #head = 0;
  #length = 0;

  /** Bytes in the queue. */
  get length(): number {
    return this.#length;
  }

  /** Takes ownership of `chunk`. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#length += chunk.length;
    const last = this.#chunks.length - 1;
    const tail = this.#chunks[last];
    if (tail && tail.length + chunk.length <= SMALL) this.#chunks[last] = concat([tail, chunk]);
    else this.#chunks.push(chunk);
  }

  /** The first chunk, or what is left of it; undefined when empty. */
  shift(): Uint8Array | undefined {
    const chunk = this.#chunks[this.#head];
    if (!chunk) return undefined;
    this.#chunks[this.#head++] = undefined;
    this.#length -= chunk.length;
    this.#forgetTaken();
    return chunk;
  }

  /** The byte at `index`, which must be near the front. */
  at(index: number): number | undefined {
    let rest = index;
    for (let i = this.#head; i < this.#chunks.length; i++) {
      const chunk = this.#chunks[i]!;
      if (rest < chunk.length) return chunk[rest];
      rest -= chunk.length;
    }
    return undefined;
  }

  /** The first two bytes as a number; undefined if there are fewer. */
  peek16(): number | undefined {
    if (this.#length < 2) return undefined;
    return (this.at(0)! << 8) | this.at(1)!;
  }

  /**
   * The first `length` bytes, of which there must be so many. In place if they are in one chunk, else
   * copied to `scratch`, or to a new array.
   */
  take(length: number, scratch?: Uint8Array): Uint8Array {
    const first = this.#chunks[this.#head];
    if (first && first.length >= length) {
      this.#skip(length);
      return first.subarray(0, length);
    }
    const target = scratch ?? new Uint8Array(length);
    this.copyInto(target, 0, length);
    return target.subarray(0, length);
  }

  /** Moves the first `length` bytes, of which there must be so many, to `target` at `at`. */
  copyInto(target: Uint8Array, at: number, length: number): void {
    let done = 0;
    while (done < length) {
      const chunk = this.#chunks[this.#head]!;
      const part = chunk.length <= length - done ? chunk : chunk.subarray(0, length - done);
      target.set(part, at + done);
      done += part.length;
      this.#skip(part.length);
    }
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#head = 0;
    this.#length = 0;
  }

  /** Drops `length` bytes of the first chunk. */
  #skip(length: number): void {
    if (length === 0) return;
    const chunk = this.#chunks[this.#head]!;
    if (length === chunk.length) this.shift();
    else {
      this.#chunks[this.#head] = chunk.subarray(length);
      this.#length -= length;
    }
  }

  #forgetTaken(): void {
    if (this.#head < 64 || this.#head * 2 < this.#chunks.length) {
      if (this.#length === 0) this.clear();
      return;
    }
    this.#chunks.splice(0, this.#head);
    this.#head = 0;
  }
}
