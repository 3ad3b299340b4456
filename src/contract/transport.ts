import type { Channel } from "./channel.ts";
import type { Millis } from "./clock.ts";
import type { SocketAddress } from "./datagram-socket.ts";
import type { Dialog, Registration, Signaling, SignalingAddress } from "./dialog.ts";
import type { ConnectionInfo, Endpoint, Json } from "./endpoint.ts";
import type { Runtime } from "./runtime.ts";

/** The step of a dial an attempt is in, or failed in. */
export type Phase = "signal" | "gather" | "punch" | "connect" | "handshake" | "transfer";

/** What a transport is worth, for planning. */
export interface TransportTraits {
  /** Lower is tried first; the table is in `transports/README.md`. */
  readonly cost: number;
  /** Bytes pass through a third party. */
  readonly relayed: boolean;
  /** Needs signaling to dial. */
  readonly signaled: boolean;
  /** Rides on UDP, which some networks drop. */
  readonly datagrams?: boolean;
}

/** Makes the first body of a dialog that has just opened, and has this `observedAddress`. */
export type FirstBody = (observedAddress: string | undefined) => Json;

/** What one dial gets from the dialer. */
export interface DialContext {
  readonly runtime: Runtime;
  /** Aborts when the race is lost, the time is up or the caller gives up. */
  readonly signal: AbortSignal;
  /** Tells the report which phase the attempt has reached. */
  onPhase(phase: Phase): void;
  /** The first handshake message, for transports that can carry it while connecting. Call at most once. */
  firstFlight?(): Uint8Array;
  /** Whether a host that the peer names in a dialog, an IP literal or a name, may be sent to. Absent: any. */
  mayDial?(host: string): boolean;
  /**
   * Opens a dialog sealed between the two endpoints; present when the entry is signaled. Send first, and close it.
   * `first` makes the first body, which goes along with the handshake and saves a round trip; whoever carries the
   * dialog can repeat it to the peer later.
   */
  openDialog?(
    signaling: Signaling,
    address: SignalingAddress,
    transportType: string,
    first?: FirstBody,
  ): Promise<Dialog>;
}

/** What one listen gets from the server. */
export interface ListenContext {
  readonly runtime: Runtime;
  /** The listeningInfo entries of this transport's type; an indication, not an order. */
  readonly listeningInfo: readonly Endpoint[];
  /** Fail rather than choose another address or port than the ones indicated. */
  readonly exclusive: boolean;
  /** Answer STUN Binding requests on UDP ports that are listened on. Default: do not. */
  readonly answerStun?: boolean;
  /** A connection came in. */
  onChannel(channel: Channel): void;
  /** The listener broke after it had listened; it is closed. */
  onError(error: Error): void;
  /** Whether a host that the peer names in a dialog, an IP literal or a name, may be sent to. Absent: any. */
  mayDial?(host: string): boolean;
  /** Be reachable for sealed dialogs: `accept` gets each one once its opener, who speaks first, is proved and admitted. */
  onDialog?(
    signaling: Signaling,
    transportType: string,
    accept: (dialog: Dialog) => void,
  ): Promise<Registration>;
}

/** A transport that is listening. */
export interface Listener {
  /** Where it can be dialled, most useful first. */
  readonly endpoints: ConnectionInfo;
  /** Where STUN Binding requests are answered; absent: nowhere. */
  readonly stun?: readonly SocketAddress[];
  /** Stops accepting; channels live on. Resolves when the port is free. Idempotent. */
  close(): Promise<void>;
  ref(): void;
  unref(): void;
}

/** A way to open channels. One instance may serve a server and many sockets at once. */
export interface Transport {
  /** The word in connectionInfo; of the instance: a TURN transport over TCP says `turn-tcp`. */
  readonly type: string;
  readonly traits: TransportTraits;
  /** The longest one attempt may take, session handshake included; 0: no limit. */
  readonly connectTimeout: Millis;
  /** Whether `dial` makes sense for this entry. Pure, never throws, whatever a stranger wrote. */
  accepts(endpoint: Endpoint): boolean;
  /**
   * Opens a channel. Rejects with a code when it cannot, and with the signal's reason when aborted.
   * A dial that succeeds after its abort aborts its own channel.
   */
  dial(endpoint: Endpoint, context: DialContext): Promise<Channel>;
  /** Absent where the runtime cannot listen. */
  listen?(context: ListenContext): Promise<Listener>;
}
