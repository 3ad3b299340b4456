import type { Millis } from "../contract/clock.ts";
import type { Random } from "../contract/runtime.ts";
import type { UtpConnection } from "./connection.ts";

/** How one connection behaves. Every field has a default; accepted connections use the endpoint's. */
export interface ConnectionOptions {
  /** Bytes that ride in the SYN and are the beginning of the stream; a dialler only. */
  readonly data?: Uint8Array;
  /** Metadata of `data` (extension 2), at most 255 bytes. */
  readonly meta?: Uint8Array;
  /** Pad a SYN with `data` to 1200 bytes, so that the peer may answer as much before proof. Default false. */
  readonly pad?: boolean;
  /** False: plain BEP 29, nothing in the SYN that another implementation may not know. Default true. */
  readonly extensions?: boolean;
  /** Give up dialling after this long with `ETIMEDOUT`. Default 5000. */
  readonly connectTimeout?: Millis;
  /** Give up with `ETIMEDOUT` when a peer that owes us an acknowledgement is silent this long. Default 30000. */
  readonly timeout?: Millis;
  /** Idle time after which the peer is asked whether it lives. Default 25000; 0 or false: never. */
  readonly keepAlive?: Millis | false;
  /** Least retransmission time. Default 200 (RFC 6298 says 1000, every modern stack less). */
  readonly minRto?: Millis;
  /** Send small writes at once although others are unacknowledged. Default false (Nagle). */
  readonly noDelay?: boolean;
  /** Never put two writes into one packet, so that the peer's `readPacket` sees the same boundaries. Default false. */
  readonly boundaries?: boolean;
  /** Most payload bytes per packet; the path may allow less. Default: by path MTU rules. */
  readonly maxPayload?: number;
  /** Use large packets where both addresses are this host's own. Default true. */
  readonly ownHost?: boolean;
  /** Most packets in flight. Default: what the peer can reorder. */
  readonly maxInFlight?: number;
  /** Congestion controller: `ledbat` (default), which leaves the link to others, or `bbr`, which takes its share. */
  readonly congestion?: string;
  /** `write` returns false above this many unsent bytes. Default 256 KiB. */
  readonly sendBuffer?: number;
}

/** How an endpoint behaves. */
export interface EndpointOptions {
  readonly random: Random;
  /** The endpoint has something to transmit or report that it did not have; run the verbs soon, not from inside. */
  readonly onWork?: () => void;
  /** Whether an address is this host's own, so that large packets never meet a path. Default: none is. */
  readonly isOwnHost?: (address: string) => boolean;
  /** The largest datagram the socket takes, in bytes. Default 65507. */
  readonly maxDatagram?: number;
  /** Bytes a connection may have in the socket's receive buffer at once. Default 64 KiB. */
  readonly receiveWindow?: number;
}

/** What an endpoint tells. Every event of a connection comes before its `closed`, which comes exactly once. */
export interface UtpEvent {
  readonly type: UtpEventType;
  readonly connection: UtpConnection;
  /** Of `closed`: why, unless both sides ended in good order. Codes as `net`: ECONNREFUSED ECONNRESET ETIMEDOUT. */
  readonly error?: Error;
}

/**
 * `accepted`: a peer connected (data may be waiting); `connected`: our dial was answered; `readable`: `read`
 * gives something after it gave nothing; `drain`: room after a `write` that returned false; `end`: the peer
 * ended and all its bytes have been read; `finished`: the peer has acknowledged our end; `closed`: it is gone.
 */
export type UtpEventType = "accepted" | "connected" | "readable" | "drain" | "end" | "finished" | "closed";

/** Where a host delivers the events of one connection. Called from the event loop only. */
export interface ConnectionSink {
  onConnected?(): void;
  onReadable(): void;
  onDrain(): void;
  onEnd(): void;
  onFinished?(): void;
  onClosed(error?: Error): void;
}

/** One received packet, for those who care about boundaries. */
export interface ReceivedPacket {
  readonly data: Uint8Array;
  /** Extension 2, if the packet had it. */
  readonly meta?: Uint8Array;
}

/** Counters of one connection; times in ms, sizes in bytes. */
export interface UtpStats {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly rtt: number;
  readonly minRtt: number;
  readonly rto: number;
  readonly inFlight: number;
  readonly congestionWindow: number;
  readonly peerWindow: number;
  readonly payload: number;
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly retransmitted: number;
  readonly timeouts: number;
}
