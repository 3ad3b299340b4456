import type { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";

/** What `node:net` and 1tp both promise of a socket, `connect` aside. */
export interface SocketLike extends Duplex {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly connecting: boolean;
  readonly pending: boolean;
  readonly readyState: string;
  readonly timeout?: number | undefined;
  destroySoon(): void;
  ref(): this;
  resetAndDestroy(): this;
  setKeepAlive(enable?: boolean, initialDelay?: number): this;
  setNoDelay(noDelay?: boolean): this;
  setTimeout(timeout: number, callback?: () => void): this;
  unref(): this;
}

/** What `node:net` and 1tp both promise of a server, `listen` aside. */
export interface ServerLike extends EventEmitter {
  readonly listening: boolean;
  maxConnections?: number | undefined;
  address(): unknown;
  close(callback?: (error?: Error) => void): this;
  getConnections(callback: (error: Error | null, count: number) => void): unknown;
  ref(): this;
  unref(): this;
}

/** Options that mean the same to both. */
export interface CommonOptions {
  readonly allowHalfOpen?: boolean;
  readonly highWaterMark?: number;
}

/** Options of a server. */
export interface ServerOptions extends CommonOptions {
  readonly pauseOnConnect?: boolean;
}

/** Options of a client's socket. */
export interface SocketOptions extends CommonOptions {
  readonly signal?: AbortSignal;
  readonly timeout?: number;
}

/** Where a server listens; only the harness that made it can read it. */
export type Address = unknown;

/** One implementation of the API, with the calls that differ made alike. */
export interface Harness {
  readonly name: string;
  createServer(options?: ServerOptions, onConnection?: (socket: SocketLike) => void): ServerLike;
  /** Listens on loopback at a free port. */
  listen(server: ServerLike, callback?: () => void): ServerLike;
  createConnection(address: Address, options?: SocketOptions, onConnect?: () => void): SocketLike;
  createSocket(options?: SocketOptions): SocketLike;
  connect(socket: SocketLike, address: Address, onConnect?: () => void): SocketLike;
}
