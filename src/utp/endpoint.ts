import type { Instant } from "../contract/clock.ts";
import type { Datagram, SocketAddress } from "../contract/datagram-socket.ts";
import type { DatagramEngine } from "../contract/engine.ts";
import type { UtpConnection } from "./connection.ts";
import type { ConnectionOptions, EndpointOptions, UtpEvent } from "./options.ts";

/** Many uTP connections on one UDP port, told apart by remote address and connection id. */
export declare class UtpEndpoint implements DatagramEngine<UtpEvent> {
  constructor(options: EndpointOptions);
  /** Dials; the SYN leaves with the next `pollTransmit`. */
  connect(remote: SocketAddress, options?: ConnectionOptions): UtpConnection;
  /** Accept connections, which get these options. A second call replaces the options. */
  listen(options?: ConnectionOptions): void;
  /** Refuse new connections (RESET); those that exist live on. */
  stopListening(): void;
  /** More accepted connections than this at once are refused. Default Infinity. */
  maxConnections: number;
  /** Connections that are not closed. */
  get size(): number;
  connections(): IterableIterator<UtpConnection>;
  handleDatagram(datagram: Datagram, now: Instant): void;
  handleTimeout(now: Instant): void;
  /** The datagram is valid until the next call of any verb. */
  pollTransmit(now: Instant): Datagram | undefined;
  pollEvent(): UtpEvent | undefined;
  pollTimeout(): Instant | undefined;
  /** Datagrams dropped, by reason. */
  readonly drops: ReadonlyMap<string, number>;
}
