import { Buffer, type Duplex, nextTick, type tcp } from "#platform";
import type { Channel, ChannelOptions, ChannelSink, ChannelStats } from "../contract/channel.ts";
import type { Endpoint } from "../contract/endpoint.ts";

/** What sockets can do and other streams may. */
type SocketLike = Partial<
  Pick<InstanceType<NonNullable<typeof tcp>["Socket"]>, "ref" | "unref" | "setNoDelay" | "setKeepAlive">
>;

/**
 * Any connected byte stream with two ends as a channel: a socket, a pipe, a serial port. The stream is the
 * channel's from now on, and may stay half open. Whatever is written is copied.
 */
export class DuplexChannel implements Channel {
  readonly firstFlightSent = false;
  readonly remote: Endpoint;
  readonly #stream: Duplex & SocketLike;
  #sink: ChannelSink | undefined;
  #error: Error | undefined;
  #bytesRead = 0;
  #bytesWritten = 0;
  #paused = false;
  #aborted = false;
  #closed = false;
  /** Came before there was a sink. */
  #drainHeld = false;
  /** Came before there was a sink or while it was paused. */
  #endHeld = false;

  constructor(stream: Duplex, remote: Endpoint) {
    this.remote = remote;
    this.#stream = stream;
    stream.allowHalfOpen = true;
    stream.on("drain", () => {
      this.#drainHeld = true;
      this.#deliver();
    });
    stream.on("end", () => {
      this.#endHeld = true;
      this.#deliver();
    });
    stream.on("error", (error) => {
      if (!this.#aborted) this.#error = error;
    });
    stream.on("close", () => {
      this.#closed = true;
      this.#deliver();
    });
  }

  /** Tells the sink what it may hear now. Not for calls from inside a method. */
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

  attach(sink: ChannelSink): void {
    this.#sink = sink;
    this.#stream.on("data", (chunk: Uint8Array) => {
      this.#bytesRead += chunk.length;
      if (!this.#aborted) sink.onData(chunk);
    });
    this.#deliverSoon();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#stream.destroyed) return false;
    this.#bytesWritten += chunk.length;
    return this.#stream.write(Buffer.from(chunk));
  }

  end(flushed?: () => void): void {
    if (flushed) this.#stream.once("finish", flushed);
    this.#stream.end();
  }

  abort(error?: Error): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#error ??= error;
    this.#stream.destroy();
    this.#deliverSoon();
  }

  pause(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#stream.resume();
    this.#deliverSoon();
  }

  ref(): void {
    this.#stream.ref?.();
  }

  unref(): void {
    this.#stream.unref?.();
  }

  set<K extends keyof ChannelOptions>(option: K, value: ChannelOptions[K]): void {
    if (option === "noDelay") this.#stream.setNoDelay?.(value === true);
    else if (option === "keepAlive") this.#stream.setKeepAlive?.(value !== false, Number(value));
  }

  stats(): ChannelStats {
    return { bytesRead: this.#bytesRead, bytesWritten: this.#bytesWritten };
  }
}
