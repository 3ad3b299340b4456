import { Buffer, type Duplex, type tcp } from "#platform";
import type { Channel, ChannelOptions, ChannelSink, ChannelStats } from "../contract/channel.ts";
import type { Endpoint } from "../contract/endpoint.ts";
import { SinkGate } from "./sink-gate.ts";

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
  readonly #gate = new SinkGate();
  #bytesRead = 0;
  #bytesWritten = 0;

  constructor(stream: Duplex, remote: Endpoint) {
    this.remote = remote;
    this.#stream = stream;
    stream.allowHalfOpen = true;
    stream.on("drain", () => this.#gate.drained());
    stream.on("end", () => this.#gate.ended());
    stream.on("error", (error) => this.#gate.failed(error));
    stream.on("close", () => this.#gate.closed());
  }

  attach(sink: ChannelSink): void {
    this.#stream.on("data", (chunk: Uint8Array) => {
      this.#bytesRead += chunk.length;
      this.#gate.data(chunk);
    });
    this.#gate.attach(sink);
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
    if (this.#gate.abort(error)) this.#stream.destroy();
  }

  pause(): void {
    this.#gate.pause();
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
    this.#gate.resume();
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
