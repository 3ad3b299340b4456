import type { Channel, ChannelOptions, ChannelPath, ChannelSink, ChannelStats } from "../contract/channel.ts";
import type { Millis } from "../contract/clock.ts";
import type { Endpoint } from "../contract/endpoint.ts";
import type { UtpConnection } from "../utp/connection.ts";
import type { ConnectionSink } from "../utp/options.ts";
import { copy } from "./slab.ts";
import type { UtpHost } from "./utp-host.ts";

/** How bytes go into a connection and come out of it. */
export interface Framing {
  /** What came next; undefined when nothing is left. */
  read(connection: UtpConnection): Uint8Array | undefined;
  /** As `UtpConnection.write`, but `chunk` stays the caller's. */
  write(connection: UtpConnection, chunk: Uint8Array): boolean;
}

/** A stream of bytes. Copies: the engine needs the bytes until they are acknowledged, the writer wants them back before. */
const STREAM: Framing = {
  read: (connection) => connection.read(),
  write: (connection, chunk) => connection.write(copy(chunk)),
};

/** What the engine's connections have, for a `keepAlive` that names no time. */
const USUAL_KEEP_ALIVE: Millis = 25_000;

/** What a channel is called by and whom it keeps. */
export interface UtpChannelParts {
  readonly host: UtpHost;
  readonly connection: UtpConnection;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  /** The dialler gave data that rides in the SYN, or else in the first DATA. */
  readonly firstFlightSent: boolean;
  /** Called with whether the channel wants the process to stay alive, when that changes. */
  readonly keep: (referenced: boolean) => void;
  /** Default: a stream of bytes. */
  readonly framing?: Framing;
  /** Which of several ways it is, where there were several. */
  readonly path?: ChannelPath;
  /** The connection is closed; what it has sent may still have to be acknowledged. */
  readonly onClosed?: () => void;
}

/** A uTP connection as a channel. What nobody reads yet stays in the connection, whose window then closes. */
export class UtpChannel implements Channel, ConnectionSink {
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly firstFlightSent: boolean;
  readonly path: ChannelPath | undefined;
  readonly #host: UtpHost;
  readonly #connection: UtpConnection;
  readonly #keep: (referenced: boolean) => void;
  readonly #framing: Framing;
  readonly #onClosed: (() => void) | undefined;
  #sink: ChannelSink | undefined;
  #paused = false;
  #referenced = true;
  #aborted = false;
  #readable = false;
  #delivering = false;
  /** Held for `attach` or `resume`. */
  #drained = false;
  #ended = false;
  #closed: { readonly error: Error | undefined } | undefined;
  #flushed: (() => void) | undefined;
  /** Somebody has just heard that all was sent. */
  #settling = false;

  constructor(parts: UtpChannelParts) {
    this.remote = parts.remote;
    this.local = parts.local;
    this.firstFlightSent = parts.firstFlightSent;
    this.path = parts.path;
    this.#host = parts.host;
    this.#connection = parts.connection;
    this.#keep = parts.keep;
    this.#framing = parts.framing ?? STREAM;
    this.#onClosed = parts.onClosed;
    parts.connection.sink = this;
    this.#readable = parts.connection.readable > 0;
    this.#keep(true);
  }

  attach(sink: ChannelSink): void {
    this.#sink = sink;
    this.#deliverSoon();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#connection.state === "closed") return false;
    return this.#framing.write(this.#connection, chunk);
  }

  end(flushed?: () => void): void {
    if (this.#connection.state === "closed") return;
    this.#flushed ??= flushed;
    this.#connection.end();
  }

  abort(error?: Error): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#readable = this.#drained = this.#ended = false;
    if (this.#closed) {
      // It closed in good order, which an end that nobody reads holds back.
      this.#closed = { error };
      this.#deliverSoon();
    } else if (error) this.#connection.abort(error);
    else this.#host.leave(this.#connection);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#deliverSoon();
  }

  ref(): void {
    this.#setReferenced(true);
  }

  unref(): void {
    this.#setReferenced(false);
  }

  #setReferenced(referenced: boolean): void {
    if (this.#referenced === referenced || this.#closed) return;
    this.#referenced = referenced;
    this.#keep(referenced);
  }

  set<K extends keyof ChannelOptions>(option: K, value: ChannelOptions[K]): void {
    if (option === "noDelay") this.#connection.setNoDelay(value === true);
    else if (option === "keepAlive")
      this.#connection.setKeepAlive(value === 0 ? USUAL_KEEP_ALIVE : (value as number | false));
    else if (option === "congestion") this.#connection.setCongestion(String(value));
  }

  stats(): ChannelStats {
    return { ...this.#connection.stats() };
  }

  onReadable(): void {
    this.#readable = !this.#aborted;
    this.#deliver();
  }

  onDrain(): void {
    this.#drained = !this.#aborted;
    this.#deliver();
  }

  onEnd(): void {
    this.#ended = !this.#aborted;
    this.#deliver();
  }

  /** Whoever waits for that, and closes then, does not hear what came along with it. */
  onFinished(): void {
    const flushed = this.#flushed;
    if (!flushed) return;
    this.#flushed = undefined;
    this.#settling = true;
    flushed();
    this.#host.afterDelivery(() => {
      this.#settling = false;
      this.#deliver();
    });
  }

  onClosed(error?: Error): void {
    this.#closed = { error };
    // In good order although the last acknowledgement was lost: the peer has it all.
    if (!error) this.onFinished();
    if (this.#referenced) this.#keep(false);
    this.#onClosed?.();
    this.#deliver();
  }

  #deliverSoon(): void {
    if (this.#readable || this.#drained || this.#ended || this.#closed)
      this.#host.soon(() => this.#deliver());
  }

  /** Tells the sink what it may hear now. */
  #deliver(): void {
    if (this.#delivering || this.#settling) return;
    this.#delivering = true;
    try {
      this.#deliverDrain();
      this.#deliverData();
      this.#deliverEnd();
      this.#deliverClose();
    } finally {
      this.#delivering = false;
    }
  }

  #deliverDrain(): void {
    if (!this.#drained || !this.#sink || this.#closed) return;
    this.#drained = false;
    this.#sink.onDrain();
  }

  #deliverData(): void {
    while (this.#readable && this.#sink && !this.#paused && !this.#aborted) {
      const chunk = this.#framing.read(this.#connection);
      if (chunk) this.#sink.onData(chunk);
      else this.#readable = false;
    }
  }

  #deliverEnd(): void {
    if (!this.#ended || !this.#sink || this.#paused) return;
    this.#ended = false;
    this.#sink.onEnd();
  }

  /** A close in good order comes after the end, however long the sink makes that wait. */
  #deliverClose(): void {
    if (!this.#closed || !this.#sink || (this.#ended && !this.#closed.error)) return;
    const sink = this.#sink;
    this.#sink = undefined;
    sink.onClose(this.#closed.error);
  }
}
