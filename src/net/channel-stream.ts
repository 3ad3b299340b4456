import { Buffer, Duplex, nextTick, nextTurn } from "#platform";
import { checkMillis, checkOptional } from "../base/argument.ts";
import { nodeError } from "../base/errors.ts";
import { type Delivery, Incoming } from "../base/incoming.ts";
import type { Channel, ChannelOptions, ChannelStats } from "../contract/channel.ts";
import type { Clock } from "../contract/clock.ts";
import { IdleTimer } from "./idle-timer.ts";
import type { ChosenOptions } from "./options.ts";
import { type Callback, closedBeforeConnection, Outgoing } from "./outgoing.ts";

/** What a timer can hold, in ms. */
const MAX_DELAY = 0x7fffffff;

/** The life of a socket in the words of `net.Socket.readyState`. */
export type ReadyState = "opening" | "open" | "readOnly" | "writeOnly" | "closed";

/** What a ChannelStream is made with. */
export interface ChannelStreamParts {
  readonly clock: Clock;
  /** Options of the Duplex; how it closes is not among them. */
  readonly stream: object;
  /** Options for the channel, once there is one. */
  readonly channel?: ChosenOptions | undefined;
  /** Called once, when the stream is destroyed. */
  readonly onDestroy?: (() => void) | undefined;
}

/**
 * A channel as a Duplex with the surface, the event order and the error codes of `net.Socket`. How it comes
 * to its channel is for those that extend it.
 */
export class ChannelStream extends Duplex {
  /** Idle time-out in ms, as last set. */
  timeout: number | undefined;
  readonly #clock: Clock;
  #channelOptions: ChosenOptions | undefined;
  #idle: IdleTimer | undefined;
  #onDestroy: (() => void) | undefined;
  /** While connecting: gives up. */
  #abandon: ((reason: Error) => void) | undefined;
  #channel: Channel | undefined;
  #channelClosed = false;
  #channelPaused = false;
  /** Set by destroy: what is left to do when the channel is gone. */
  #onChannelClose: (() => void) | undefined;
  #referenced = true;
  #resetting = false;
  #peerEnded = false;
  #bytesRead = 0;
  #outgoing = new Outgoing();

  constructor({ clock, stream, channel, onDestroy }: ChannelStreamParts) {
    super({ ...stream, autoDestroy: true, emitClose: false });
    this.#clock = clock;
    this.#channelOptions = channel;
    this.#onDestroy = onDestroy;
  }

  /** True from the beginning of a dial until it has connected or failed. */
  get connecting(): boolean {
    return this.#abandon !== undefined;
  }

  /** True until connected. */
  get pending(): boolean {
    return this.#channel === undefined || this.connecting || this.destroyed;
  }

  get readyState(): ReadyState {
    if (this.connecting) return "opening";
    if (this.readable && this.writable) return "open";
    if (this.readable) return "readOnly";
    return this.writable ? "writeOnly" : "closed";
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Bytes sent, those still buffered included. */
  get bytesWritten(): number {
    return this.#outgoing.settled + this.writableLength;
  }

  /**
   * What the connection has counted, also when it is gone: bytes and, where the transport knows, `rtt` in ms, packets, how many of
   * them were sent again. Undefined before it connects.
   */
  stats(): ChannelStats | undefined {
    return this.#channel?.stats();
  }

  /** The channel, once there is one. */
  protected get channel(): Channel | undefined {
    return this.#channel;
  }

  /** A dial begins; `abandon` stops it. A stream that was closed may begin anew, as in `net`. */
  protected startConnecting(abandon: (reason: Error) => void): void {
    if (this.destroyed) this.#revive();
    this.#abandon = abandon;
    this.#idle?.touch();
  }

  /** The dial has succeeded. */
  protected finishConnecting(channel: Channel): void {
    this.#abandon = undefined;
    this.#attach(channel);
    this.emit("connect");
    this.emit("ready");
  }

  /** Takes a channel that is open from the start. */
  protected adopt(channel: Channel): void {
    this.#attach(channel);
  }

  /** The dial or the channel has failed. */
  protected fail(error: Error): void {
    this.destroy(error);
  }

  #attach(channel: Channel): void {
    this.#channel = channel;
    if (!this.#referenced) channel.unref();
    for (const [option, value] of Object.entries(this.#channelOptions ?? {})) {
      channel.set(option as keyof ChannelOptions, value);
    }
    channel.attach(new Incoming(this, ChannelStream.#delivery));
    this.#idle?.touch();
  }

  static readonly #delivery: Delivery<ChannelStream> = {
    data: (stream, chunk) => stream.#receive(chunk),
    drain: (stream) => stream.#drain(),
    end: (stream) => stream.#ended(),
    close: (stream, error) => stream.#lost(error),
  };

  #receive(chunk: Uint8Array): void {
    if (this.destroyed) return;
    this.#bytesRead += chunk.length;
    this.#idle?.touch();
    const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    if (this.push(buffer) || this.#channelPaused) return;
    this.#channelPaused = true;
    this.#channel?.pause();
  }

  #ended(): void {
    this.#peerEnded = true;
    if (this.destroyed) return;
    this.push(null);
    this.read(0);
  }

  override _read(): void {
    if (!this.#channelPaused) return;
    this.#channelPaused = false;
    this.#channel?.resume();
  }

  #drain(): void {
    this.#idle?.touch();
    this.#outgoing.drained();
  }

  override _write(chunk: Uint8Array, _encoding: string, callback: Callback): void {
    this.#send([chunk], callback);
  }

  override _writev(chunks: { chunk: Uint8Array }[], callback: Callback): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  #send(chunks: readonly Uint8Array[], callback: Callback): void {
    this.#idle?.touch();
    if (this.connecting) this.#hold(chunks, callback);
    else if (this.#channel && !this.destroyed) this.#outgoing.write(this.#channel, chunks, callback);
    else callback(socketClosed());
  }

  /** As in `net`: it goes when its turn comes among those that listen for `'connect'`. */
  #hold(chunks: readonly Uint8Array[], callback: Callback): void {
    this.#onceConnected(
      () => this.#send(chunks, callback),
      () => callback(closedBeforeConnection()),
    );
  }

  /** One of the two. In `net` what waited for a connection that failed is done to the next one. */
  #onceConnected(task: () => void, otherwise: () => void = () => {}): void {
    const onConnect = (): void => {
      this.off("close", onClose);
      task();
    };
    const onClose = (): void => {
      this.off("connect", onConnect);
      otherwise();
    };
    this.once("close", onClose).once("connect", onConnect);
  }

  override _final(callback: Callback): void {
    if (this.#channel) this.#channel.end(callback);
    else this.#onceConnected(() => this._final(callback));
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const hadError = Boolean(error);
    const channel = this.#channel;
    const abandon = this.#abandon;
    this.#abandon = undefined;
    this.#idle?.clear();
    abandon?.(error ?? closedBeforeConnection());
    const close = (): void => void this.emit("close", hadError);
    callback(error);
    // In `net` a dial that is given up has a handle to close first.
    if (abandon) nextTurn(close);
    else if (!channel || this.#channelClosed) nextTick(close);
    else {
      this.#onChannelClose = close;
      if (this.#resetting) channel.abort(nodeError("ECONNRESET", "reset by this side"));
      // A channel both of whose sides have ended closes by itself, once the peer has all that was sent.
      else if (!this.readableEnded || !this.writableFinished) channel.abort();
    }
    this.#outgoing.drained();
    this.#onDestroy?.();
    this.#onDestroy = undefined;
  }

  #lost(error?: Error): void {
    this.#channelClosed = true;
    if (this.#onChannelClose) nextTick(this.#onChannelClose);
    else if (error) this.fail(error);
    // After the peer's end there may be data to read still; the stream destroys itself when that is done.
    else if (!this.#peerEnded) this.destroy();
  }

  #revive(): void {
    (this as unknown as { _undestroy(): void })._undestroy();
    this.#channel = undefined;
    this.#channelClosed = false;
    this.#channelPaused = false;
    this.#onChannelClose = undefined;
    this.#peerEnded = false;
    this.#resetting = false;
    this.#bytesRead = 0;
    this.#outgoing = new Outgoing();
  }

  /** As in `net`: true if more may be written at once, else `'drain'` follows. */
  override write(chunk: unknown, callback?: Callback): boolean;
  override write(chunk: unknown, encoding?: BufferEncoding, callback?: Callback): boolean;
  override write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
    if (this.allowHalfOpen || !this.readableEnded || !this.writableEnded || this.destroyed) {
      return super.write(chunk, encoding as BufferEncoding, callback as Callback);
    }
    const error = nodeError("EPIPE", "This socket has been ended by the other party");
    const done = typeof encoding === "function" ? encoding : callback;
    if (typeof done === "function") nextTick(() => done(error));
    this.destroy(error);
    return false;
  }

  /** Ends our side, then destroys. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", this.destroy);
  }

  /** Destroys so that the peer sees a reset, where the transport can say so. */
  resetAndDestroy(): this {
    if (this.connecting) this.#onceConnected(() => this.resetAndDestroy());
    else if (!this.#channel) this.destroy(socketClosed());
    else {
      this.#resetting = true;
      this.destroy();
    }
    return this;
  }

  /** Emits `'timeout'` after `ms` of idleness; 0 switches it off. The socket stays open. */
  setTimeout(ms: number, callback?: () => void): this {
    checkMillis("msecs", ms);
    checkOptional("callback", callback, "function");
    if (this.destroyed) return this;
    this.timeout = ms;
    this.#idle ??= new IdleTimer(this.#clock, () => this.emit("timeout"));
    this.#idle.set(ms);
    if (callback && ms > 0) this.once("timeout", callback);
    else if (callback) this.off("timeout", callback);
    return this;
  }

  /**
   * Sets what the transport may know, such as `congestion`, also before it connects; transports ignore what they do not.
   * @throws for a `keepAlive` that is neither ms nor false.
   */
  set<K extends keyof ChannelOptions>(option: K, value: ChannelOptions[K]): this {
    if (option === "keepAlive" && value !== false) checkMillis("keepAlive", value);
    this.#channelOptions = { ...this.#channelOptions, [option]: value };
    this.#channel?.set(option, value);
    return this;
  }

  /** As in `net`; ignored by transports that have no such thing. */
  setNoDelay(enable = true): this {
    return this.set("noDelay", Boolean(enable));
  }

  /** As in `net`; `initialDelay` in ms, 0 and whatever is no duration keep the transport's. */
  setKeepAlive(enable = false, initialDelay = 0): this {
    const isDelay = initialDelay > 0 && initialDelay <= MAX_DELAY;
    return this.set("keepAlive", enable ? (isDelay ? Number(initialDelay) : 0) : false);
  }

  /** Let the connection keep the process alive (the default). */
  ref(): this {
    this.#referenced = true;
    this.#channel?.ref();
    return this;
  }

  /** Let the process exit although the connection stands. */
  unref(): this {
    this.#referenced = false;
    this.#channel?.unref();
    return this;
  }
}

function socketClosed(): Error {
  return nodeError("ERR_SOCKET_CLOSED", "Socket is closed");
}
