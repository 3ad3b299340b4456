import type { Packet } from "./packet.ts";
import { read16 } from "./packet.ts";

/** Packets that are put together at the same time (chosen: retransmissions of one window's worth of a fallen path). */
const MAX_PARTIAL = 64;
/** Their bytes (chosen: one packet of the largest size, or many of Ethernet's). */
const MAX_BYTES = 65_536;

interface Partial {
  readonly payload: Uint8Array;
  /** Bytes that have come, from the beginning. */
  filled: number;
}

/** Puts together packets that were too large for the path when they were sent again. Fragments come in order or again. */
export class Fragments {
  readonly #partial = new Map<number, Partial>();
  #bytes = 0;

  /** The whole payload once its last fragment has come; undefined before, and for fragments that make no sense. */
  add(packet: Packet): Uint8Array | undefined {
    const { data, fragmentStart, payloadLength, seq } = packet;
    const offset = read16(data, fragmentStart);
    const total = read16(data, fragmentStart + 2);
    const partial = this.#partialOf(seq, total);
    if (!partial || offset > partial.filled || offset + payloadLength > total) return undefined;
    partial.payload.set(packet.payload(), offset);
    partial.filled = Math.max(partial.filled, offset + payloadLength);
    if (partial.filled < total) return undefined;
    this.delete(seq);
    return partial.payload;
  }

  #partialOf(seq: number, total: number): Partial | undefined {
    const known = this.#partial.get(seq);
    if (known) return known.payload.length === total ? known : undefined;
    if (total === 0) return undefined;
    for (const oldest of this.#partial.keys()) {
      if (this.#partial.size < MAX_PARTIAL && this.#bytes + total <= MAX_BYTES) break;
      this.delete(oldest);
    }
    this.#bytes += total;
    const partial = { payload: new Uint8Array(total), filled: 0 };
    this.#partial.set(seq, partial);
    return partial;
  }

  /** The packet came whole, or nobody wants it any more. */
  delete(seq: number): void {
    this.#bytes -= this.#partial.get(seq)?.payload.length ?? 0;
    this.#partial.delete(seq);
  }

  get size(): number {
    return this.#partial.size;
  }
}
