const MIN_RING = 16;

/** Payloads by sequence number, in a ring that grows with the distance it has to cover. */
export class ReorderBuffer {
  /** Packets held. */
  count = 0;
  /** Their payload bytes. */
  bytes = 0;
  #payloads: (Uint8Array | undefined)[] = [];
  /** Metadata at the same places; made when the first comes. */
  #metas: (Uint8Array | undefined)[] | undefined;

  /** Whether `seq`, which is `distance` ahead of the next one expected, is here. */
  has(seq: number, distance: number): boolean {
    const { length } = this.#payloads;
    return distance < length && this.#payloads[seq & (length - 1)] !== undefined;
  }

  /** Keeps a payload; `distance` is how far `seq` is ahead of the next one expected, which is `expected`. */
  put(seq: number, distance: number, payload: Uint8Array, meta: Uint8Array | undefined): void {
    if (distance >= this.#payloads.length) this.#grow(distance, (seq - distance) & 0xffff);
    const at = seq & (this.#payloads.length - 1);
    this.#payloads[at] = payload;
    if (meta) this.#metas ??= [];
    if (this.#metas) this.#metas[at] = meta;
    this.count++;
    this.bytes += payload.length;
  }

  meta(seq: number): Uint8Array | undefined {
    return this.#metas?.[seq & (this.#payloads.length - 1)];
  }

  /** Takes the payload of `seq`, if it is there. */
  take(seq: number): Uint8Array | undefined {
    if (this.count === 0) return undefined;
    const at = seq & (this.#payloads.length - 1);
    const payload = this.#payloads[at];
    if (!payload) return undefined;
    this.#payloads[at] = undefined;
    if (this.#metas) this.#metas[at] = undefined;
    this.count--;
    this.bytes -= payload.length;
    return payload;
  }

  clear(): void {
    this.#payloads = [];
    this.#metas = undefined;
    this.count = this.bytes = 0;
  }

  #grow(distance: number, expected: number): void {
    const old = this.#payloads;
    const metas = this.#metas;
    let size = Math.max(MIN_RING, old.length);
    while (size <= distance) size *= 2;
    this.#payloads = new Array(size).fill(undefined);
    if (metas) this.#metas = [];
    for (let i = 0; i < old.length; i++) {
      const seq = (expected + i) & 0xffff;
      this.#payloads[seq & (size - 1)] = old[seq & (old.length - 1)];
      if (metas) this.#metas![seq & (size - 1)] = metas[seq & (old.length - 1)];
    }
  }
}
