import type { tcp } from "#platform";
import { EMPTY } from "../../src/base/bytes.ts";
import { socketEndpoint } from "../../src/base/socket-address.ts";
import type { Channel, ChannelOptions, ChannelSink, ChannelStats } from "../../src/contract/channel.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import { SinkGate } from "../../src/host/sink-gate.ts";

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
  readonly #before: ChannelStats | undefined;
  readonly #gate = new SinkGate();
  #flushed: (() => void) | undefined = undefined;
  /** A write has returned false. */
  #drainOwed = false;

  /**
   * `remote` is the entry that was dialled; without it the socket was accepted. `before`: what the socket has carried that
   * was not the peer's.
   */
  constructor(socket: NetSocket, remote?: Endpoint, before?: ChannelStats) {
    this.#remote = remote;
    this.#before = before;
    this.#socket = Object.assign(socket, { [CHANNEL]: this });
    socket.on("drain", TcpChannel.#on.drain);
    socket.on("end", TcpChannel.#on.end);
    socket.on("error", TcpChannel.#on.error);
    socket.on("close", TcpChannel.#on.close);
  }

  /** What every channel's socket calls, with the socket as `this`. */
  static readonly #on = {
    data(this: ChannelSocket, chunk: Uint8Array): void {
      this[CHANNEL].#gate.data(chunk);
    },
    drain(this: ChannelSocket): void {
      this[CHANNEL].#drained();
    },
    end(this: ChannelSocket): void {
      this[CHANNEL].#gate.ended();
    },
    error(this: ChannelSocket, error: Error): void {
      this[CHANNEL].#gate.failed(error);
    },
    close(this: ChannelSocket): void {
      this[CHANNEL].#gate.closed();
    },
    finish(this: ChannelSocket): void {
      this[CHANNEL].#flushed?.();
    },
  };

  #drained(): void {
    if (!this.#drainOwed) return;
    this.#drainOwed = false;
    this.#gate.drained();
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
    this.#socket.on("data", TcpChannel.#on.data);
    this.#gate.attach(sink);
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
    if (!this.#gate.abort(error)) return;
    const socket = this.#socket;
    // The system refuses to reset a connection whose shutdown is under way, and would leak it.
    const shuttingDown = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
    if (error && !shuttingDown && !socket.destroyed && !this.#encrypted) socket.resetAndDestroy();
    else socket.destroy();
  }

  /** TLS to a proxy, which has no reset. */
  get #encrypted(): boolean {
    return "encrypted" in this.#socket;
  }

  pause(): void {
    this.#gate.pause();
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
    this.#gate.resume();
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
    const { bytesRead, bytesWritten } = this.#socket;
    const { bytesRead: readBefore = 0, bytesWritten: writtenBefore = 0 } = this.#before ?? {};
    return { bytesRead: bytesRead - readBefore, bytesWritten: bytesWritten - writtenBefore };
  }
}
