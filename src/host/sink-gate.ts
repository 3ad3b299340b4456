import { nextTick } from "#platform";
import type { ChannelSink } from "../contract/channel.ts";

/**
 * Between a stream and the sink of its channel: holds back what the sink may not hear yet, before there is
 * one or while it is paused, and what it may not hear any more.
 */
export class SinkGate {
  #sink: ChannelSink | undefined;
  #error: Error | undefined;
  #paused = false;
  #aborted = false;
  #closed = false;
  #drainHeld = false;
  #endHeld = false;

  attach(sink: ChannelSink): void {
    this.#sink = sink;
    this.#deliverSoon();
  }

  /** The stream holds data back itself while it is paused, or has no sink. */
  data(chunk: Uint8Array): void {
    if (!this.#aborted) this.#sink?.onData(chunk);
  }

  drained(): void {
    this.#drainHeld = true;
    this.#deliver();
  }

  ended(): void {
    this.#endHeld = true;
    this.#deliver();
  }

  /** The stream says why it is about to close. */
  failed(error: Error): void {
    if (!this.#aborted) this.#error = error;
  }

  closed(): void {
    this.#closed = true;
    this.#deliver();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#deliverSoon();
  }

  /** From now on nothing but the close is told. False if that is so already. */
  abort(error: Error | undefined): boolean {
    if (this.#aborted) return false;
    this.#aborted = true;
    this.#error ??= error;
    this.#deliverSoon();
    return true;
  }

  /** Tells the sink what it may hear now. Not for calls from inside a channel's method. */
  #deliver(): void {
    if (this.#drainHeld && this.#sink && !this.#aborted) {
      this.#drainHeld = false;
      this.#sink.onDrain();
    }
    if (this.#endHeld && this.#sink && !this.#paused && !this.#aborted) {
      this.#endHeld = false;
      this.#sink.onEnd();
    }
    // A close in good order comes after the end, however long the sink makes that wait.
    const endFirst = this.#endHeld && !this.#aborted && !this.#error;
    if (this.#closed && this.#sink && !endFirst) {
      const sink = this.#sink;
      this.#sink = undefined;
      sink.onClose(this.#error);
    }
  }

  #deliverSoon(): void {
    if (this.#drainHeld || this.#endHeld || this.#closed) nextTick(() => this.#deliver());
  }
}
