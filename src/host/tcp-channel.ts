import { EMPTY } from "../base/bytes.ts";
import { socketEndpoint } from "../base/socket-address.ts";
import type { Channel, ChannelOptions, ChannelPath, ChannelSink, ChannelStats } from "../contract/channel.ts";
import type { Endpoint } from "../contract/endpoint.ts";
import { SinkGate } from "./sink-gate.ts";
import type { NetSocket } from "./stun-stream.ts";

const CHANNEL = Symbol("channel");

interface ChannelSocket extends NetSocket {
  [CHANNEL]: TcpChannel;
}

/** What a socket has been through before it became a channel. */
export interface TcpHistory {
  /** What it has carried that was not the peer's. */
  readonly before?: ChannelStats;
  readonly path?: ChannelPath;
}

/** The literal the kernel names, which is canonical but for IPv4-mapped IPv6. */
export function kernelAddress(address = ""): string {
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}

/** Whether a dial of `port` has met itself: one of a free port of this host can (RFC 9293 §3.5, simultaneous open). */
export function isSelfConnected(socket: NetSocket, port: number): boolean {
  return socket.localPort === port && socket.localAddress === socket.remoteAddress;
}

/**
 * A connected `net` socket with `allowHalfOpen` as a channel. Its listeners are shared by all channels
 * and find theirs through the socket, which keeps an idle connection small.
 */
export class TcpChannel implements Channel {
  readonly firstFlightSent = false;
  readonly #socket: ChannelSocket;
  #remote: Endpoint | undefined;
  readonly #history: TcpHistory | undefined;
  readonly #gate = new SinkGate();
  #flushed: (() => void) | undefined = undefined;
  /** A write has returned false. */
  #drainOwed = false;

  /** `remote` is the entry that was dialled, or is to be told; without it the socket was accepted, and is of `tcp`. */
  constructor(socket: NetSocket, remote?: Endpoint, history?: TcpHistory) {
    this.#remote = remote;
    this.#history = history;
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
    const { remoteAddress, remotePort = 0 } = this.#socket;
    this.#remote ??= socketEndpoint("tcp", kernelAddress(remoteAddress), remotePort);
    return this.#remote;
  }

  get local(): Endpoint {
    const { localAddress, localPort = 0 } = this.#socket;
    return socketEndpoint(this.remote.transportType, kernelAddress(localAddress), localPort);
  }

  get path(): ChannelPath | undefined {
    return this.#history?.path;
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
    const { bytesRead: readBefore = 0, bytesWritten: writtenBefore = 0 } = this.#history?.before ?? {};
    return { bytesRead: bytesRead - readBefore, bytesWritten: bytesWritten - writtenBefore };
  }
}
