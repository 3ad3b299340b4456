/** Views of these sizes are kept; larger packets are nearly all of one size. */
const CACHED_SIZES = 2048;

/** One buffer that every packet is written into, and views of it that are made once per size. */
export class Scratch {
  bytes: Uint8Array;
  #views: (Uint8Array | undefined)[] = [];
  #last: Uint8Array;

  constructor(size: number) {
    this.bytes = this.#last = new Uint8Array(size);
  }

  /** The first `size` bytes. */
  view(size: number): Uint8Array {
    if (this.#last.length === size) return this.#last;
    if (size >= CACHED_SIZES) this.#last = this.bytes.subarray(0, size);
    else {
      this.#views[size] ??= this.bytes.subarray(0, size);
      this.#last = this.#views[size];
    }
    return this.#last;
  }

  /** Takes another buffer of at least `size` bytes; the views that were given out stay valid for good. */
  renew(size = this.bytes.length): void {
    this.bytes = this.#last = new Uint8Array(Math.max(size, this.bytes.length));
    this.#views = [];
  }
}
