import { ByteQueue } from "./byte-queue.ts";
import { DATA_HEADER, type FrameWriter } from "./frame.ts";

/** Bytes either side may send before it has heard an ACK: part of the protocol. */
export const INITIAL_WINDOW = 1 << 20;

/** Chosen: two full records wait while one is on its way. */
const HIGH_WATER = 1 << 17;

/** Chosen: what the window lets through in smaller pieces than this waits for the next ACK. */
const SMALLEST_PIECE = 1 << 14;

/** The application's bytes on their way out: what waits, and what the peer's window lets through. */
export class SendStream {
  readonly #queue = new ByteQueue();
  #offset = 0;
  #limit = INITIAL_WINDOW;
  #ended = false;
  #endSent = false;
  /** Bytes of all writes. */
  written = 0;

  /** Takes ownership of `chunk`. False: enough is waiting. */
  write(chunk: Uint8Array): boolean {
    this.#queue.push(chunk);
    this.written += chunk.length;
    return this.hasRoom;
  }

  get hasRoom(): boolean {
    return this.#queue.length < HIGH_WATER;
  }

  /** Bytes that wait. */
  get pending(): number {
    return this.#queue.length;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get endSent(): boolean {
    return this.#endSent;
  }

  /** No write follows. */
  end(): void {
    this.#ended = true;
  }

  /** Forgets what waits. */
  discard(): void {
    this.#queue.clear();
  }

  /** Writes as much as window and record allow. */
  fill(writer: FrameWriter): void {
    const window = this.#limit - this.#offset;
    const size = Math.min(this.#queue.length, window, writer.room - DATA_HEADER);
    if (size > 0 && (size < window || size >= Math.min(this.#queue.length, SMALLEST_PIECE))) {
      writer.writeData(this.#offset, size, (bytes, at) => this.#queue.copyInto(bytes, at, size));
      this.#offset += size;
    }
    if (this.#ended && !this.#endSent && this.#queue.length === 0 && writer.room >= DATA_HEADER) {
      writer.write({ type: "end", offset: this.#offset });
      this.#endSent = true;
    }
  }

  /** False if the peer acknowledges what was never sent. */
  handleAck(offset: number, window: number): boolean {
    if (offset > this.#offset + (this.#endSent ? 1 : 0)) return false;
    this.#limit = Math.max(this.#limit, offset + window);
    return true;
  }
}
