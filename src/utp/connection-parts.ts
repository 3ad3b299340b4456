import type { Instant, Millis } from "../contract/clock.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { CongestionController } from "./congestion.ts";
import type { UtpConnection } from "./connection.ts";
import type { UtpEventType } from "./options.ts";
import type { Receiver } from "./receiver.ts";
import type { Sender } from "./sender.ts";
import type { ConnectionSettings } from "./settings.ts";
import type { Validation } from "./validation.ts";

/**
 * What remains of a connection: a RESET to the peer; an acknowledgement of the peer's FIN, now (`last-ack`) and when it comes
 * again (`linger`); or nothing.
 */
export type Farewell = "reset" | "last-ack" | "linger" | "silence";

/** Who keeps a connection: the endpoint. */
export interface ConnectionOwner {
  /** Something may be transmitted, or a deadline has moved. */
  touch(connection: UtpConnection): void;
  emit(connection: UtpConnection, type: UtpEventType, error?: Error): void;
  /** The connection is over; `seq` and `ack` are its last numbers. */
  release(connection: UtpConnection, farewell: Farewell, seq: number, ack: number): void;
}

/** What tells one connection from another. */
export interface ConnectionIdentity {
  readonly remote: SocketAddress;
  /** The id in packets to us, and in packets from us. */
  readonly receiveId: number;
  readonly sendId: number;
  /** Sequence number of our SYN, or of the STATE that accepted. */
  readonly seq: number;
}

/** What an acceptor knows from the SYN it accepts. */
export interface Acceptance {
  readonly synSeq: number;
  readonly window: number;
  /** The peer knows our extensions. */
  readonly extended: boolean;
  /** Data of the SYN that is taken. */
  readonly data: Uint8Array;
  readonly meta: Uint8Array | undefined;
  /** Bytes that came and were not yet answered. */
  readonly credit: number;
  /** Round trip of the handshake, where it says something. */
  readonly rtt: Millis | undefined;
}

/** What a connection is made of. */
export interface ConnectionParts {
  readonly identity: ConnectionIdentity;
  readonly settings: ConnectionSettings;
  readonly owner: ConnectionOwner;
  readonly controller: CongestionController;
  /** Unread bytes the user may cause before the window closes. */
  readonly receiveWindow: number;
  readonly now: Instant;
}

/** The parts of a connection that packets are made of and for. */
export interface Halves {
  readonly sender: Sender;
  readonly receiver: Receiver;
  readonly validation: Validation;
}
