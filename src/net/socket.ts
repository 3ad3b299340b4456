import { addAbortSignal, Buffer, Duplex, nextTick } from "#platform";
import { checkMillis, checkOptional } from "../base/argument.ts";
import { nodeError } from "../base/errors.ts";
import type { Channel } from "../contract/channel.ts";
import type { ConnectionInfo, Endpoint } from "../contract/endpoint.ts";
import type { Transport } from "../contract/transport.ts";
import { checkConnectionInfo, parseConnectionInfo } from "./connection-info.ts";
import { Dial } from "./dial.ts";
import { IdleTimer } from "./idle-timer.ts";
import { type Delivery, Incoming } from "./incoming.ts";
import {
  type ChosenOptions,
  type CommonOptions,
  channelOptions,
  checkTransports,
  type SocketOptions,
  type SocketSettings,
  socketSettings,
  streamOptions,
} from "./options.ts";
import { type Callback, closedBeforeConnection, Outgoing } from "./outgoing.ts";
import type { AttemptReport } from "./report.ts";

/** The life of a socket in the words of `net.Socket.readyState`. */
export type ReadyState = "opening" | "open" | "readOnly" | "writeOnly" | "closed";

const NO_ATTEMPTS: readonly AttemptReport[] = [];

/** A channel the server has accepted. */
export interface Connection {
  readonly channel: Channel;
  readonly transport: Transport;
  readonly settings: SocketSettings;
  /** Called once, when the socket is destroyed. */
  readonly onDestroy: () => void;
}

const connectionKey = Symbol("connection");

interface InternalOptions extends SocketOptions {
  readonly [connectionKey]?: Connection;
}

/** Makes the connected socket of a channel that a server has accepted. */
export function acceptSocket(connection: Connection, options: CommonOptions): Socket {
  const internal: InternalOptions = { ...options, [connectionKey]: connection };
  return new Socket([connection.transport], internal);
}

/**
 * One end of a connection: a Duplex with the surface, the event order and the error codes of
 * `net.Socket`, over whichever transport won the dial.
 */
export class Socket extends Duplex {
  /** Idle time-out in ms, as last set. */
  timeout: number | undefined;
  readonly #settings: SocketSettings;
  readonly #transports: readonly Transport[];
  #channelOptions: ChosenOptions | undefined;
  #idle: IdleTimer | undefined;
  #onDestroy: (() => void) | undefined;
  #connecting = false;
  #dial: Dial | undefined;
  #transport: Transport | undefined;
  #channel: Channel | undefined;
  #channelClosed = false;
  #channelPaused = false;
  /** Set by destroy: what is left to do when the channel is gone. */
  #onChannelClose: (() => void) | undefined;
  #report: readonly AttemptReport[] = NO_ATTEMPTS;
  #referenced = true;
  #resetting = false;
  #peerEnded = false;
  #bytesRead = 0;
  #outgoing = new Outgoing();

  /** @throws for wrong transports or options, with the codes Node uses. */
  constructor(transports?: readonly Transport[] | null, options: SocketOptions = {}) {
    const connection = (options as InternalOptions)[connectionKey];
    const settings = connection?.settings ?? socketSettings(options);
    const usable = connection ? transports! : checkTransports(transports);
    super(streamOptions(options));
    this.#settings = settings;
    this.#transports = usable;
    this.#channelOptions = channelOptions(options);
    this.#onDestroy = connection?.onDestroy;
    if (options.timeout) this.setTimeout(options.timeout);
    if (connection) {
      this.#adopt(connection.channel, connection.transport);
      this.#outgoing.open(connection.channel);
    }
    if (options.signal) addAbortSignal(options.signal, this);
  }

  /** True from `connect` until it has connected or failed. */
  get connecting(): boolean {
    return this.#connecting;
  }

  /** True until connected. */
  get pending(): boolean {
    return this.#channel === undefined || this.#connecting || this.destroyed;
  }

  get readyState(): ReadyState {
    if (this.#connecting) return "opening";
    if (this.readable && this.writable) return "open";
    if (this.readable) return "readOnly";
    return this.writable ? "writeOnly" : "closed";
  }

  /** Whether one of the transports has a connection. */
  isConnected(): boolean {
    return this.#channel !== undefined && !this.destroyed;
  }

  /** The connectionInfo entry of the connected peer. */
  get remoteAddress(): Endpoint | undefined {
    return this.#channel?.remote;
  }

  /** This end of the connection, where the transport knows it. */
  get localAddress(): Endpoint | undefined {
    return this.#channel?.local;
  }

  /** The word of the transport in use, such as `tcp`. */
  get transport(): string | undefined {
    return this.#transport?.type;
  }

  /** Every attempt of the last dial on a time line; empty on a server's sockets. */
  get report(): readonly AttemptReport[] {
    return this.#report;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Bytes sent, those still buffered included. */
  get bytesWritten(): number {
    return this.#outgoing.settled + this.writableLength;
  }

  /** As `connect`; resolves when connected, rejects with what `'error'` would say. */
  connectP(connectionInfo: ConnectionInfo | Endpoint): Promise<this> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        this.off("connect", settle).off("error", settle).off("close", closed);
        if (error) reject(error);
        else resolve(this);
      };
      const closed = (): void => settle(closedBeforeConnection());
      this.connect(connectionInfo, settle);
      this.once("error", settle).once("close", closed);
    });
  }

  /**
   * Dials the server that gave out `connectionInfo`. What is wrong with it comes as an `'error'` event.
   * @throws ERR_INVALID_ARG_TYPE if it is neither an array nor an object.
   */
  connect(connectionInfo: ConnectionInfo | Endpoint, onConnect?: () => void): this {
    checkConnectionInfo(connectionInfo);
    checkOptional("onConnect", onConnect, "function");
    if (this.#connecting || (this.#channel && !this.destroyed)) {
      throw nodeError("EISCONN", "connect EISCONN: this socket is connecting or connected already");
    }
    if (this.destroyed) this.#revive();
    if (onConnect) this.once("connect", onConnect);
    this.#connecting = true;
    this.#idle?.touch();
    try {
      const options = { ...this.#settings, transports: this.#transports };
      const dial = new Dial(parseConnectionInfo(connectionInfo), options);
      this.#dial = dial;
      this.#report = dial.report;
      dial.run().then(
        (channel) => nextTick(() => this.#connected(dial, channel)),
        (error) => this.#dial === dial && this.destroy(error),
      );
    } catch (error) {
      this.destroy(error as Error);
    }
    return this;
  }

  #connected(dial: Dial, channel: Channel): void {
    if (this.destroyed || this.#dial !== dial) {
      channel.abort();
      return;
    }
    this.#connecting = false;
    this.#dial = undefined;
    this.#adopt(channel, dial.transport!);
    this.emit("connect");
    this.emit("ready");
    this.#outgoing.open(channel);
  }

  #adopt(channel: Channel, transport: Transport): void {
    this.#channel = channel;
    this.#transport = transport;
    if (!this.#referenced) channel.unref();
    const { noDelay, keepAlive } = this.#channelOptions ?? {};
    if (noDelay !== undefined) channel.set("noDelay", noDelay);
    if (keepAlive !== undefined) channel.set("keepAlive", keepAlive);
    channel.attach(new Incoming(this, Socket.#delivery));
    this.#idle?.touch();
  }

  static readonly #delivery: Delivery<Socket> = {
    data: (socket, chunk) => socket.#receive(chunk),
    drain: (socket) => socket.#drain(),
    end: (socket) => socket.#ended(),
    close: (socket, error) => socket.#lost(error),
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
    if (this.#channel || this.#connecting) this.#outgoing.write(chunks, callback);
    else callback(socketClosed());
  }

  override _final(callback: Callback): void {
    if (this.#channel) this.#channel.end(callback);
    else this.once("connect", () => this._final(callback));
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const hadError = Boolean(error);
    const channel = this.#channel;
    this.#connecting = false;
    this.#idle?.clear();
    if (this.#dial) this.#dial.abort(error ?? closedBeforeConnection());
    this.#dial = undefined;
    const close = (): void => {
      this.emit("close", hadError);
      this.#outgoing.close();
    };
    callback(error);
    if (!channel || this.#channelClosed) nextTick(close);
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
    else if (error) this.destroy(error);
    // After the peer's end there may be data to read still; the stream destroys itself when that is done.
    else if (!this.#peerEnded) this.destroy();
  }

  /** A socket that was closed may connect anew, as in `net`. */
  #revive(): void {
    (this as unknown as { _undestroy(): void })._undestroy();
    this.#transport = undefined;
    this.#channel = undefined;
    this.#channelClosed = false;
    this.#channelPaused = false;
    this.#onChannelClose = undefined;
    this.#peerEnded = false;
    this.#resetting = false;
    this.#bytesRead = 0;
    this.#outgoing = new Outgoing();
  }

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
    if (this.#connecting) this.once("connect", () => this.resetAndDestroy());
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
    this.#idle ??= new IdleTimer(this.#settings.runtime.clock, () => this.emit("timeout"));
    this.#idle.set(ms);
    if (callback && ms > 0) this.once("timeout", callback);
    else if (callback) this.off("timeout", callback);
    return this;
  }

  /** As in `net`; ignored by transports that have no such thing. */
  setNoDelay(enable = true): this {
    this.#channelOptions = { ...this.#channelOptions, noDelay: Boolean(enable) };
    this.#channel?.set("noDelay", Boolean(enable));
    return this;
  }

  /** As in `net`; `initialDelay` in ms, 0 keeps the transport's. */
  setKeepAlive(enable = false, initialDelay = 0): this {
    const value = enable ? initialDelay : false;
    this.#channelOptions = { ...this.#channelOptions, keepAlive: value };
    this.#channel?.set("keepAlive", value);
    return this;
  }

  /** Let the connection keep the process alive (the default). */
  ref(): this {
    this.#referenced = true;
    this.#channel?.ref();
    return this;
  }

  unref(): this {
    this.#referenced = false;
    this.#channel?.unref();
    return this;
  }

  /** `localAddress`, or an empty object when not connected. */
  address(): Endpoint | Record<string, never> {
    return this.localAddress ?? {};
  }
}

function socketClosed(): Error {
  return nodeError("ERR_SOCKET_CLOSED", "Socket is closed");
}
