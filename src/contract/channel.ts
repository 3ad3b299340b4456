import type { Endpoint } from "./endpoint.ts";
import type { MessageLane } from "./message-lane.ts";

/** Receives what a Channel brings. No method is ever called from inside a Channel method. */
export interface ChannelSink {
  /** Bytes in order. The chunk is the sink's to keep. Never called while paused. */
  onData(chunk: Uint8Array): void;
  /** Room again after a `write` that returned false. */
  onDrain(): void;
  /** The peer has ended its side; no data follows. Never called while paused. */
  onEnd(): void;
  /** The channel is gone: exactly once, last, also while paused. `error` unless it closed in good order. */
  onClose(error?: Error): void;
}

/** Counters of a channel. */
export interface ChannelStats {
  /** Bytes of the application that have come. */
  readonly bytesRead: number;
  /** Bytes of the application that were taken to be sent. */
  readonly bytesWritten: number;
  /** Smoothed round-trip time in ms, where the transport knows it. */
  readonly rtt?: number;
  /** Further counters by name. */
  readonly [counter: string]: number | undefined;
}

/** One end of the path that ICE has chosen. */
export interface PathEnd {
  /** host, srflx, prflx or relay (RFC 8445 §4). */
  readonly type: string;
  /** Absent where the runtime hides it. */
  readonly address?: string;
  readonly port?: number;
}

/** The pair of candidates a channel runs over, of those that were tried. */
export interface ChannelPath {
  /** Through a TURN server. */
  readonly relayed: boolean;
  readonly local: PathEnd;
  readonly remote: PathEnd;
}

/** What `Channel.set` knows; a channel ignores options that mean nothing to it. */
export interface ChannelOptions {
  /** Send small writes at once. */
  readonly noDelay: boolean;
  /** Ms of idleness before probes start; false: none. */
  readonly keepAlive: number | false;
  /** Congestion controller of uTP, `'bbr'` or `'ledbat'`. */
  readonly congestion: string;
}

/**
 * An ordered reliable byte pipe with one consumer. Data, end and close that come before `attach` wait for it.
 */
export interface Channel {
  /** The peer, as the entry that was dialled or, on a listener, as an entry of the same shape. */
  readonly remote: Endpoint;
  /** This end, where the transport knows it. */
  readonly local?: Endpoint;
  /** How the bytes go, where the transport has chosen among several ways and knows it. */
  readonly path?: ChannelPath | undefined;
  /** The public key the peer has proved, base64url; only secured channels have one. */
  readonly remotePublicKey?: string | undefined;
  /** True if the transport carried the context's first flight, so that it must not be written again. */
  readonly firstFlightSent: boolean;
  /** Names who receives what comes from now on, and what has waited. Once. */
  attach(sink: ChannelSink): void;
  /**
   * Takes `chunk`. True: it has been sent or copied, and is the caller's again. False: it may be read
   * until `onDrain`, for which to wait before writing more.
   */
  write(chunk: Uint8Array): boolean;
  /** Ends our side after all that was written; `flushed` once the system or the peer has taken it. */
  end(flushed?: () => void): void;
  /** Ends both sides now. With an error the peer sees a reset where the wire can say so. `onClose` follows. */
  abort(error?: Error): void;
  /** Neither `onData` nor `onEnd` until `resume`. */
  pause(): void;
  /** What has waited comes, but not from inside this call. */
  resume(): void;
  /** Let the channel keep the process alive (the default). */
  ref(): void;
  unref(): void;
  /** Messages beside the byte stream, 0 to 255; only secured channels have them. */
  lane?(number: number): MessageLane;
  /** Changes an option, now or whenever it can be. */
  set<K extends keyof ChannelOptions>(option: K, value: ChannelOptions[K]): void;
  /** The counters as they are now. */
  stats(): ChannelStats;
}
