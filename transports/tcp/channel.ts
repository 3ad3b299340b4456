import { nextTick, type tcp } from "#platform";
import { EMPTY } from "../../src/base/bytes.ts";
import { socketEndpoint } from "../../src/base/socket-address.ts";
import type { Channel, ChannelOptions, ChannelSink, ChannelStats } from "../../src/contract/channel.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";

/** A socket of the platform's `net`. */
export type NetSocket = InstanceType<NonNullable<typeof tcp>["Socket"]>;

const CHANNEL = Symbol("channel");

interface ChannelSocket extends NetSocket {
  [CHANNEL]: TcpChannel;
}

/** The entry for what the kernel says, whose literals are canonical but for IPv4-mapped IPv6. */
function kernelEndpoint(address = "", port = 0): Endpoint {
  return socketEndpoint("tcp", address.startsWith("::ffff:") ? address.slice(7) : address, port);
}

/**
 * A connected `net` socket with `allowHalfOpen` as a channel. Its listeners are shared by all channels
 * and find theirs through the socket, which keeps an idle connection small.
 */
export class TcpChannel implements Channel {
  readonly firstFlightSent = false;
  readonly #socket: ChannelSocket;
  #remote: Endpoint | undefined;
  #sink: ChannelSink | undefined = undefined;
  #flushed: (() => void) | undefined = undefined;
  #error: Error | undefined = undefined;
  #paused = false;
  #aborted = false;
  #closed = false;
  /** A write has returned false. */
  #drainOwed = false;
  /** Came before there was a sink. */
  #drainHeld = false;
  /** Came before there was a sink or while it was paused. */
  #endHeld = false;

  /** `remote` is the entry that was dialled; without it the socket was accepted. */
  constructor(socket: NetSocket, remote?: Endpoint) {
    this.#remote = remote;
    this.#socket = Object.assign(socket, { [CHANNEL]: this });
    socket.on("drain", TcpChannel.#on.drain);
    socket.on("end", TcpChannel.#on.end);
    socket.on("error", TcpChannel.#on.error);
    socket.on("close", TcpChannel.#on.close);
  }

  /** What every channel's socket calls, with the socket as `this`. */
  static readonly #on = {
    data(this: ChannelSocket, chunk: Uint8Array): void {
      const channel = this[CHANNEL];
      if (!channel.#aborted) channel.#sink?.onData(chunk);
    },
    drain(this: ChannelSocket): void {
      this[CHANNEL].#drained();
    },
    end(this: ChannelSocket): void {
      const channel = this[CHANNEL];
      channel.#endHeld = true;
      channel.#deliver();
    },
    error(this: ChannelSocket, error: Error): void {
      const channel = this[CHANNEL];
      if (!channel.#aborted) channel.#error = error;
    },
    close(this: ChannelSocket): void {
      const channel = this[CHANNEL];
      channel.#closed = true;
      channel.#deliver();
    },
    finish(this: ChannelSocket): void {
      this[CHANNEL].#flushed?.();
    },
  };

  #drained(): void {
    if (!this.#drainOwed) return;
    this.#drainOwed = false;
    this.#drainHeld = true;
    this.#deliver();
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

  get remote(): Endpoint {
    this.#remote ??= kernelEndpoint(this.#socket.remoteAddress, this.#socket.remotePort);
    return this.#remote;
  }

  get local(): Endpoint {
    const { localAddress, localPort } = this.#socket;
    return kernelEndpoint(localAddress, localPort);
  }

  attach(sink: ChannelSink): void {
    this.#sink = sink;
    this.#socket.on("data", TcpChannel.#on.data);
    this.#deliverSoon();
  }

  write(chunk: Uint8Array): boolean {
    const socket = this.#socket;
    const belowMark = socket.write(chunk);
    if (socket.writableLength === 0 && !socket.destroyed) return true;
    this.#drainOwed = true;
    // Below its mark the socket emits no 'drain', but the system still reads from the chunk.
    if (belowMark) socket.write(EMPTY, () => this.#drained());
    return false;
  }

  end(flushed?: () => void): void {
    if (flushed) {
      this.#flushed = flushed;
      this.#socket.on("finish", TcpChannel.#on.finish);
    }
    this.#socket.end();
  }

  abort(error?: Error): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#error ??= error;
    const socket = this.#socket;
    // The system refuses to reset a connection whose shutdown is under way, and would leak it.
    const shuttingDown = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
    if (error && !shuttingDown && !socket.destroyed) socket.resetAndDestroy();
    else socket.destroy();
    this.#deliverSoon();
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#socket.resume();
    this.#deliverSoon();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  set<K extends keyof ChannelOptions>(option: K, value: ChannelOptions[K]): void {
    if (option === "noDelay") this.#socket.setNoDelay(value === true);
    else if (option === "keepAlive") this.#socket.setKeepAlive(value !== false, Number(value));
  }

  stats(): ChannelStats {
    return { bytesRead: this.#socket.bytesRead, bytesWritten: this.#socket.bytesWritten };
  }
}
