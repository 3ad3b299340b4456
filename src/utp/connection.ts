import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { ConnectionSink, ReceivedPacket, UtpStats } from "./options.ts";

/** `connecting` until the peer answers; `connected` until both sides have ended; `closed` afterwards. */
export type ConnectionState = "connecting" | "connected" | "closed";

/**
 * One uTP connection (BEP 29): an ordered reliable byte stream, each direction of which ends by itself.
 * Its methods never throw once it is closed; they do nothing. Everything it sends leaves through the
 * endpoint's `pollTransmit`, everything it tells comes from the endpoint's `pollEvent`.
 */
export declare class UtpConnection {
  readonly remote: SocketAddress;
  /** We sent the SYN. */
  readonly initiated: boolean;
  get state(): ConnectionState;
  /** The peer took the `data` of our SYN; known from `connected` on. If it did not, the engine has sent it again as DATA. */
  get firstFlightAccepted(): boolean;
  /** The peer has proved that it receives at its address. */
  get validated(): boolean;
  /** Free for the host: it delivers this connection's events here. */
  sink: ConnectionSink | undefined;
  /**
   * Queues bytes; takes ownership of `chunk`. False: above the send buffer, wait for `drain`. Packets split where `meta`
   * changes. Writing before `connected` is fine; after `end` it does nothing.
   */
  write(chunk: Uint8Array, meta?: Uint8Array): boolean;
  /** Ends our side after all that was written (FIN). The peer may go on sending. */
  end(): void;
  /** Ends both sides: what was written is still sent for up to 5 s, what comes is refused. `closed` follows at once. */
  close(): void;
  /** Drops everything, tells the peer (RESET), and closes with `error`. */
  abort(error?: Error): void;
  /** All received bytes, joined, up to `limit` (default 64 KiB); undefined when there are none. Reading opens the window. */
  read(limit?: number): Uint8Array | undefined;
  /** The next received packet by itself. */
  readPacket(): ReceivedPacket | undefined;
  /** Received bytes that wait for `read`. */
  get readable(): number;
  /** Bytes written and not yet acknowledged. */
  get unacknowledged(): number;
  setNoDelay(noDelay: boolean): void;
  /** Ms of idleness before the peer is asked whether it lives; false: never. */
  setKeepAlive(idle: number | false): void;
  /** Switches the congestion controller by name; unknown names are ignored. */
  setCongestion(name: string): void;
  stats(): UtpStats;
}
