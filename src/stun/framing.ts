import { concat } from "../base/bytes.ts";
import { HEADER_SIZE, MAGIC_COOKIE } from "./message.ts";

/** What a stream may carry. */
export interface FramingOptions {
  /** TURN's ChannelData, too (RFC 8656 §12.5). */
  readonly channelData?: boolean;
  /** The largest frame in bytes; what the two length bytes allow if absent. */
  readonly maxSize?: number;
}

/** ChannelData's header; any frame says in as many bytes how long it is. */
const PREFIX_SIZE = 4;
/** Bytes by which STUN is known. */
const COOKIE_END = 8;
const MAX_SIZE = HEADER_SIZE + 65_535;

/**
 * Cuts a byte stream into STUN messages (RFC 8489 §6.2.2) and, where it is spoken, ChannelData. Keeps one
 * unfinished frame at most.
 */
export class StreamFrames {
  /** Bytes of the largest frame. */
  readonly maxSize: number;
  readonly #channelData: boolean;
  /** Parts of the unfinished frame, and how many bytes they are. */
  #parts: Uint8Array[] = [];
  #kept = 0;
  /** Bytes that have to be there before another look is worth it. */
  #wanted = PREFIX_SIZE;
  #broken = false;

  constructor({ channelData = false, maxSize = MAX_SIZE }: FramingOptions = {}) {
    this.#channelData = channelData;
    this.maxSize = maxSize;
  }

  /** What came begins no frame, or too large a one: nobody can tell where the next one is, so close the stream. */
  get broken(): boolean {
    return this.#broken;
  }

  /** Bytes after which there may be a frame, and never more than belong to it. */
  get missing(): number {
    return this.#wanted - this.#kept;
  }

  /** A frame's bytes on the wire, in memory of their own: ChannelData is padded. */
  wrap(frame: Uint8Array): Uint8Array {
    const padded = new Uint8Array(
      this.#channelData && isChannelData(frame) ? (frame.length + 3) & ~3 : frame.length,
    );
    padded.set(frame);
    return padded;
  }

  /** The frames that `chunk` completes, ChannelData without padding. They may be views of the chunk. */
  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#broken) return [];
    const parts = this.#parts;
    this.#kept += chunk.length;
    // A copy: what is kept must not hold on to the chunk it came in.
    if (this.#kept < this.#wanted) parts.push(chunk.slice());
    else return this.#cut(parts.length === 0 ? chunk : concat([...parts, chunk]));
    return [];
  }

  #cut(bytes: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (let at = 0; ; ) {
      const rest = bytes.subarray(at);
      const size = this.#sizeOf(rest);
      const total = size === undefined ? rest.length + 1 : (size + 3) & ~3;
      if (rest.length < total || this.#broken) {
        this.#keep(rest, total);
        return frames;
      }
      frames.push(rest.subarray(0, size));
      at += total;
    }
  }

  #keep(rest: Uint8Array, wanted: number): void {
    this.#parts = rest.length === 0 || this.#broken ? [] : [rest.slice()];
    this.#kept = this.#broken ? 0 : rest.length;
    this.#wanted = wanted;
  }

  /** How long the frame that begins there is; undefined as long as that is not known. */
  #sizeOf(bytes: Uint8Array): number | undefined {
    if (bytes.length < PREFIX_SIZE) return undefined;
    const length = (bytes[2]! << 8) | bytes[3]!;
    const isData = this.#channelData && isChannelData(bytes);
    if (!isData && bytes.length < COOKIE_END) return undefined;
    const size = (isData ? PREFIX_SIZE : HEADER_SIZE) + length;
    if (size > this.maxSize || !(isData || beginsStun(bytes, length))) this.#broken = true;
    return size;
  }
}

function beginsStun(bytes: Uint8Array, length: number): boolean {
  if (bytes[0]! > 0x3f || length % 4 !== 0) return false;
  return MAGIC_COOKIE.every((byte, i) => byte === bytes[PREFIX_SIZE + i]);
}

/** Whether a frame or datagram from a TURN server is ChannelData: its channel is 0x4000 to 0x4fff (RFC 8656 §12). */
export function isChannelData(bytes: Uint8Array): boolean {
  return bytes.length >= PREFIX_SIZE && (bytes[0]! & 0xf0) === 0x40;
}
