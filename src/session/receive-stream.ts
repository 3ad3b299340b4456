import type { Instant, Millis } from "../contract/clock.ts";
import { ByteQueue } from "./byte-queue.ts";
import { INITIAL_WINDOW } from "./send-stream.ts";

/** Chosen: fills 1 Gbit/s over 64 ms, and is the most one paused connection can make us hold. */
const MAX_WINDOW = 1 << 23;

/** The peer's bytes on their way to the application, and the window it is granted. */
export class ReceiveStream {
  readonly #queue = new ByteQueue();
  /** All before it has come; the end counts one. */
  #received = 0;
  #consumed = 0;
  #ended = false;
  #window = INITIAL_WINDOW;
  /** What the peer has been told it may send. */
  #limit = INITIAL_WINDOW;
  #acknowledged = 0;
  /** Since when, and since which byte, the application's pace is measured. */
  #paceFrom: { readonly offset: number; readonly at: Instant } | undefined;

  /** Bytes the application has taken. */
  get consumed(): number {
    return this.#consumed;
  }

  /** The peer has ended; what it sent before may still wait. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Bytes wait for the application. */
  get waiting(): boolean {
    return this.#queue.length > 0;
  }

  /** False if the bytes are out of order or more than the peer was granted. */
  handleData(offset: number, body: Uint8Array): boolean {
    if (this.#ended || offset !== this.#received) return false;
    if (offset + body.length > this.#limit) return false;
    this.#received += body.length;
    this.#queue.push(body);
    return true;
  }

  /** False if the end is not where the data ends. */
  handleEnd(offset: number): boolean {
    if (this.#ended || offset !== this.#received) return false;
    this.#received += 1;
    this.#ended = true;
    return true;
  }

  /** The next bytes for the application. */
  shift(): Uint8Array | undefined {
    const chunk = this.#queue.shift();
    if (chunk) this.#consumed += chunk.length;
    return chunk;
  }

  /** Drops what waits. */
  discard(): void {
    this.#queue.clear();
  }

  /** Something has come that no ACK has told of. */
  get unacknowledged(): boolean {
    return this.#received > this.#acknowledged;
  }

  /** Worth an ACK at once: the peer's window would otherwise run low. */
  get ackDue(): boolean {
    return !this.#ended && this.#consumed + this.#window - this.#limit >= this.#window >> 2;
  }

  /** What to tell the peer. The window grows while the application takes a whole one within two round trips. */
  takeAck(now: Instant, rtt: Millis | undefined): { offset: number; window: number } {
    this.#grow(now, rtt);
    this.#limit = Math.max(this.#limit, this.#consumed + this.#window);
    this.#acknowledged = this.#received;
    return { offset: this.#received, window: Math.max(0, this.#limit - this.#received) };
  }

  #grow(now: Instant, rtt: Millis | undefined): void {
    const from = this.#paceFrom;
    if (from && this.#consumed - from.offset < this.#window) return;
    this.#paceFrom = { offset: this.#consumed, at: now };
    if (!from || rtt === undefined || now - from.at >= 2 * rtt) return;
    this.#window = Math.min(2 * this.#window, MAX_WINDOW);
  }
}
