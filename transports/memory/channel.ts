import { nextTurn } from "#platform";
import { systemError } from "../../src/base/errors.ts";
import type { Channel, ChannelSink, ChannelStats } from "../../src/contract/channel.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";

/**
 * One end of a pipe inside the process. Its methods only change the state of the two ends; what that
 * means for the sinks is told afterwards, in a turn of its own.
 */
export class MemoryChannel implements Channel {
  readonly firstFlightSent = false;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #highWaterMark: number;
  #peer: MemoryChannel;
  #sink: ChannelSink | undefined;
  #turnDue = false;

  readonly #inbox: Uint8Array[] = [];
  #inboxBytes = 0;
  #paused = false;
  #peerEnded = false;
  #endTold = false;
  #bytesRead = 0;

  #drainOwed = false;
  #ended = false;
  #flushed: (() => void) | undefined;
  #endTaken = false;
  #bytesWritten = 0;

  #closing: { readonly error: Error | undefined } | undefined;

  /** Both ends: the first one sees `far` as its remote, the second one `near`. */
  static pair(near: Endpoint, far: Endpoint, highWaterMark: number): [MemoryChannel, MemoryChannel] {
    const first = new MemoryChannel(near, far, highWaterMark);
    const second = new MemoryChannel(far, near, highWaterMark);
    first.#peer = second;
    second.#peer = first;
    return [first, second];
  }

  private constructor(local: Endpoint, remote: Endpoint, highWaterMark: number) {
    this.local = local;
    this.remote = remote;
    this.#highWaterMark = highWaterMark;
    this.#peer = this;
  }

  attach(sink: ChannelSink): void {
    this.#sink = sink;
    this.#wake();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#closing || this.#ended) return false;
    const peer = this.#peer;
    if (peer.#closing) {
      this.#close(systemError("ECONNRESET", "write"));
      return false;
    }
    if (chunk.length > 0) {
      // The writer may use its chunk again, and the reader may change what it gets.
      peer.#inbox.push(new Uint8Array(chunk));
      peer.#inboxBytes += chunk.length;
      this.#bytesWritten += chunk.length;
      peer.#wake();
    }
    this.#drainOwed = !peer.#hasRoom();
    return !this.#drainOwed;
  }

  end(flushed?: () => void): void {
    if (this.#closing || this.#ended) return;
    this.#ended = true;
    this.#drainOwed = false;
    this.#flushed = flushed;
    this.#peer.#peerEnded = true;
    this.#peer.#wake();
    this.#wake();
  }

  abort(error?: Error): void {
    if (this.#closing) return;
    this.#close(error);
    if (error) {
      this.#peer.#close(systemError("ECONNRESET", "read"));
    } else {
      this.#peer.#peerEnded = true;
      this.#peer.#wake();
    }
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake();
  }

  /** Nothing here keeps a process alive: without other work nobody could ever write. */
  ref(): void {}

  unref(): void {}

  set(): void {}

  stats(): ChannelStats {
    return { bytesRead: this.#bytesRead, bytesWritten: this.#bytesWritten };
  }

  #hasRoom(): boolean {
    return this.#inboxBytes < this.#highWaterMark;
  }

  #close(error: Error | undefined): void {
    if (this.#closing) return;
    this.#closing = { error };
    this.#inbox.length = 0;
    this.#inboxBytes = 0;
    this.#wake();
  }

  #wake(): void {
    if (this.#turnDue) return;
    this.#turnDue = true;
    nextTurn(() => {
      this.#turnDue = false;
      this.#turn();
    });
  }

  #turn(): void {
    // As with a wire, our end is taken before the peer's answer to it comes.
    this.#settleWrites();
    this.#receive();
    const sink = this.#sink;
    if (this.#endTold && this.#endTaken) this.#closing ??= { error: undefined };
    if (!this.#closing || !sink) return;
    this.#sink = undefined;
    sink.onClose(this.#closing.error);
  }

  #receive(): void {
    while (this.#inbox.length > 0 && this.#receiver) {
      const chunk = this.#inbox.shift()!;
      this.#inboxBytes -= chunk.length;
      this.#bytesRead += chunk.length;
      this.#receiver.onData(chunk);
    }
    if (this.#hasRoom()) this.#peer.#wakeWriter();
    if (this.#peerEnded && !this.#endTold && this.#inbox.length === 0 && this.#receiver) {
      this.#endTold = true;
      this.#receiver.onEnd();
    }
  }

  /** The sink, while it may hear of data. */
  get #receiver(): ChannelSink | undefined {
    return this.#paused || this.#closing ? undefined : this.#sink;
  }

  #wakeWriter(): void {
    if (!this.#closing && (this.#drainOwed || (this.#ended && !this.#endTaken))) this.#wake();
  }

  #settleWrites(): void {
    if (!this.#peer.#hasRoom() || this.#closing) return;
    if (this.#drainOwed && this.#sink) {
      this.#drainOwed = false;
      this.#sink.onDrain();
    }
    if (this.#ended && !this.#endTaken) {
      this.#endTaken = true;
      this.#flushed?.();
    }
  }
}
