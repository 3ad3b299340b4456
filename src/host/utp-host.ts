import type { DatagramSocket, SocketAddress } from "../contract/datagram-socket.ts";
import type { Runtime } from "../contract/runtime.ts";
import type { UtpConnection } from "../utp/connection.ts";
import type { UtpEndpoint } from "../utp/endpoint.ts";
import type { ConnectionOptions } from "../utp/options.ts";
import type { Demultiplexer } from "./demultiplexer.ts";

/**
 * Joins a DatagramSocket to a uTP endpoint: one timer, one acknowledgement per receive burst, delivery
 * once per event-loop turn to each connection's `sink`. Connections may be used directly: whatever is
 * called on them, the host notices.
 */
export declare class UtpHost {
  constructor(socket: DatagramSocket, runtime: Runtime);
  readonly socket: DatagramSocket;
  readonly endpoint: UtpEndpoint;
  /** Other protocols on the same port: STUN, TURN. */
  readonly demultiplexer: Demultiplexer;
  /** `onConnection` gets each accepted connection and sets its `sink` before it returns. */
  listen(onConnection: (connection: UtpConnection) => void, options?: ConnectionOptions): void;
  stopListening(): void;
  /** Set the `sink` of what this returns before the turn ends. */
  connect(remote: SocketAddress, options?: ConnectionOptions): UtpConnection;
  /** Aborts every connection (their sinks hear ECONNABORTED), tells the peers, closes the socket. */
  close(): void;
  /** Whether the socket and the timer keep the process alive. */
  ref(): void;
  unref(): void;
}
