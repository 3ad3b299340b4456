import { EMPTY } from "../base/bytes.ts";
import type { ReceivedPacket } from "./options.ts";

/** Payloads in order that the user has not read. */
export class ReadQueue {
  bytes = 0;
  #chunks: Uint8Array[] = [];
  #metas: (Uint8Array | undefined)[] | undefined;
  #head = 0;

  get empty(): boolean {
    return this.count === 0;
  }

  /** Packets the bytes are in. */
  get count(): number {
    return this.#chunks.length - this.#head;
  }

  push(chunk: Uint8Array, meta: Uint8Array | undefined): void {
    if (meta) this.#metas ??= [];
    if (this.#metas) this.#metas[this.#chunks.length] = meta;
    this.#chunks.push(chunk);
    this.bytes += chunk.length;
  }

  /** Up to `limit` bytes as one array: a view if one chunk suffices, else a copy. Undefined when empty. */
  read(limit: number): Uint8Array | undefined {
    const first = this.#chunks[this.#head];
    if (!first) return undefined;
    if (first.length > limit) {
      this.#chunks[this.#head] = first.subarray(limit);
      this.bytes -= limit;
      return first.subarray(0, limit);
    }
    if (this.bytes === first.length || first.length + this.#chunks[this.#head + 1]!.length > limit) {
      return this.#shift();
    }
    return this.#join(limit);
  }

  /** The first chunk by itself, with its metadata. */
  readPacket(): ReceivedPacket | undefined {
    if (this.empty) return undefined;
    const meta = this.#metas?.[this.#head];
    const data = this.#shift();
    return meta ? { data, meta } : { data };
  }

  clear(): void {
    this.#chunks = [];
    this.#metas = undefined;
    this.bytes = this.#head = 0;
  }

  #join(limit: number): Uint8Array {
    let length = 0;
    for (let i = this.#head; i < this.#chunks.length; i++) {
      const more = this.#chunks[i]!.length;
      if (length + more > limit) break;
      length += more;
    }
    const joined = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const chunk = this.#shift();
      joined.set(chunk, at);
      at += chunk.length;
    }
    return joined;
  }

  #shift(): Uint8Array {
    const chunk = this.#chunks[this.#head]!;
    this.#chunks[this.#head++] = EMPTY;
    this.bytes -= chunk.length;
    if (this.#head === this.#chunks.length) {
      this.#chunks.length = this.#head = 0;
      if (this.#metas) this.#metas.length = 0;
    } else if (this.#head >= 1024) this.#compact();
    return chunk;
  }

  #compact(): void {
    this.#chunks.splice(0, this.#head);
    this.#metas?.splice(0, this.#head);
    this.#head = 0;
  }
}
