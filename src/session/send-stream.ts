import { ByteQueue } from "./byte-queue.ts";
import { DATA_HEADER, type FrameWriter } from "./frame.ts";

/** Bytes either side may send before it has heard an ACK: part of the protocol. */
export const INITIAL_WINDOW = 1 << 20;

/** Chosen: less is copied and waits for company; more goes into a record at once. */
export const WORTH_A_RECORD = 1 << 14;

/** Chosen: two full records of small writes wait while one is on its way. */
const HIGH_WATER = 1 << 17;

/** The application's bytes on their way out: what waits, and what the peer's window lets through. */
export class SendStream {
  readonly #queue = new ByteQueue();
  /** The writer's own memory is in the queue. */
  #borrowed = false;
  #offset = 0;
  #limit = INITIAL_WINDOW;
  #ended = false;
  #endSent = false;
  #endAcknowledged = false;
  /** Bytes of all writes. */
  written = 0;

  /** A large chunk is borrowed until `hasRoom`, a small one copied. */
  write(chunk: Uint8Array): void {
    this.written += chunk.length;
    const borrow = chunk.length >= WORTH_A_RECORD;
    this.#borrowed ||= borrow;
    this.#queue.push(borrow ? chunk : new Uint8Array(chunk));
  }

  /** Nothing is borrowed, and not too much waits. */
  get hasRoom(): boolean {
    return !this.#borrowed && this.#queue.length < HIGH_WATER;
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

  /** The peer has seen our end, and all before it. */
  get endAcknowledged(): boolean {
    return this.#endAcknowledged;
  }

  /** No write follows. */
  end(): void {
    this.#ended = true;
  }

  /** Forgets what waits. */
  discard(): void {
    this.#queue.clear();
    this.#borrowed = false;
  }

  /** Writes as much as window and record allow. */
  fill(writer: FrameWriter): void {
    const window = this.#limit - this.#offset;
    const size = Math.min(this.#queue.length, window, writer.room - DATA_HEADER);
    // What the window alone would cut to a small piece waits for the next ACK.
    if (size > 0 && (size < window || size >= Math.min(this.#queue.length, WORTH_A_RECORD))) {
      writer.writeData(this.#offset, size, (bytes, at) => this.#queue.copyInto(bytes, at, size));
      this.#offset += size;
      if (this.#borrowed && this.#queue.length < WORTH_A_RECORD) this.#keep();
    }
    if (this.#ended && !this.#endSent && this.#queue.length === 0 && writer.room >= DATA_HEADER) {
      writer.write({ type: "end", offset: this.#offset });
      this.#endSent = true;
    }
  }

  /** False if the peer acknowledges what was never sent. */
  handleAck(offset: number, window: number): boolean {
    if (offset > this.#offset + (this.#endSent ? 1 : 0)) return false;
    this.#endAcknowledged = offset > this.#offset;
    this.#limit = Math.max(this.#limit, offset + window);
    return true;
  }

  /** Gives the writer its memory back. */
  #keep(): void {
    const rest = new Uint8Array(this.#queue.length);
    this.#queue.copyInto(rest, 0, rest.length);
    this.#queue.push(rest);
    this.#borrowed = false;
  }
}
