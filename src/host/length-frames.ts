import { concat } from "../base/bytes.ts";
import type { FrameCodec } from "./framed-socket.ts";

/** Bytes that say how long a frame is. */
const PREFIX_SIZE = 2;

/** Frames with their length before them (RFC 4571 §2). Keeps one unfinished frame at most; empty ones are nothing. */
export class LengthFrames implements FrameCodec {
  readonly maxSize: number;
  #rest: Uint8Array = new Uint8Array(0);
  #broken = false;

  constructor(maxSize: number) {
    this.maxSize = maxSize;
  }

  /** A frame was larger than any may be. */
  get broken(): boolean {
    return this.#broken;
  }

  wrap(frame: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(PREFIX_SIZE + frame.length);
    bytes[0] = frame.length >> 8;
    bytes[1] = frame.length;
    bytes.set(frame, PREFIX_SIZE);
    return bytes;
  }

  push(chunk: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    const bytes = this.#rest.length === 0 ? chunk : concat([this.#rest, chunk]);
    let at = 0;
    while (at + PREFIX_SIZE <= bytes.length && !this.#broken) {
      const size = (bytes[at]! << 8) | bytes[at + 1]!;
      const end = at + PREFIX_SIZE + size;
      this.#broken = size > this.maxSize;
      if (end > bytes.length || this.#broken) break;
      if (size > 0) frames.push(bytes.subarray(at + PREFIX_SIZE, end));
      at = end;
    }
    this.#rest = this.#broken ? new Uint8Array(0) : bytes.slice(at);
    return frames;
  }
}
