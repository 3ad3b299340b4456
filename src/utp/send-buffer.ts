import { sameBytes } from "../base/bytes.ts";

/** A written chunk and those after it. Packets point into the chain, so that nothing is copied before it is sent. */
export interface Chunk {
  readonly bytes: Uint8Array;
  readonly meta: Uint8Array | undefined;
  next: Chunk | undefined;
}

/** A stretch of written bytes: `length` bytes from `offset` in `chunk`, going on in the chunks after it. */
export interface Segment {
  chunk: Chunk | undefined;
  offset: number;
  length: number;
}

/** What was written and has not been put into a packet yet. */
export class SendBuffer {
  /** Bytes that wait. */
  unsent = 0;
  readonly #boundaries: boolean;
  #head: Chunk | undefined;
  #tail: Chunk | undefined;
  #offset = 0;

  /** `boundaries`: no packet holds bytes of two chunks. */
  constructor(boundaries: boolean) {
    this.#boundaries = boundaries;
  }

  /** Metadata of the next bytes. */
  get meta(): Uint8Array | undefined {
    return this.#head?.meta;
  }

  push(bytes: Uint8Array, meta: Uint8Array | undefined): void {
    if (bytes.length === 0) return;
    const chunk: Chunk = { bytes, meta, next: undefined };
    if (this.#tail) this.#tail.next = chunk;
    if (!this.#head) {
      this.#head = chunk;
      this.#offset = 0;
    }
    this.#tail = chunk;
    this.unsent += bytes.length;
  }

  /** How many bytes, up to `limit`, may share the next packet. */
  available(limit: number): number {
    let chunk = this.#head;
    if (!chunk) return 0;
    let length = chunk.bytes.length - this.#offset;
    while (length < limit && chunk.next && !this.#splits(chunk, chunk.next)) {
      chunk = chunk.next;
      length += chunk.bytes.length;
    }
    return length < limit ? length : limit;
  }

  /** Whether more bytes, yet to be written, could join the next packet if it holds all of `length` bytes. */
  mayGrow(length: number): boolean {
    return !this.#boundaries && length === this.unsent;
  }

  /** Takes the next `length` bytes, at most `available`, into `segment`. */
  take(segment: Segment, length: number): void {
    segment.chunk = this.#head;
    segment.offset = this.#offset;
    segment.length = length;
    this.skip(length);
  }

  /** Leaves out the next `length` bytes. */
  skip(length: number): void {
    this.unsent -= length;
    let left = length;
    let chunk = this.#head;
    while (chunk && left >= chunk.bytes.length - this.#offset) {
      left -= chunk.bytes.length - this.#offset;
      this.#offset = 0;
      chunk = chunk.next;
    }
    this.#offset += left;
    this.#head = chunk;
    if (!chunk) this.#tail = undefined;
  }

  /** Forgets everything. */
  clear(): void {
    this.#head = this.#tail = undefined;
    this.#offset = this.unsent = 0;
  }

  #splits(a: Chunk, b: Chunk): boolean {
    if (this.#boundaries) return true;
    if (a.meta === b.meta) return false;
    return a.meta === undefined || b.meta === undefined || !sameBytes(a.meta, b.meta);
  }
}

/** Copies `length` bytes of a segment, from `skip` on, to `out` at `at`. */
export function copySegment(
  segment: Segment,
  skip: number,
  length: number,
  out: Uint8Array,
  at: number,
): void {
  let { chunk } = segment;
  let from = segment.offset + skip;
  let to = at;
  let left = length;
  while (chunk && left > 0) {
    const { bytes } = chunk;
    const part = Math.min(left, bytes.length - from);
    if (part > 0) {
      out.set(from === 0 && part === bytes.length ? bytes : bytes.subarray(from, from + part), to);
      to += part;
      left -= part;
      from = 0;
    } else from -= bytes.length;
    chunk = chunk.next;
  }
}
