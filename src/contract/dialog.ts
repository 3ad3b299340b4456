import type { Channel } from "./channel.ts";
import type { KeyPair } from "./crypto.ts";
import type { Endpoint, Json, JsonObject } from "./endpoint.ts";

/** Receives the signals of one dialog. Called from the event loop only. */
export interface DialogSink {
  onSignal(body: Json): void;
  /** The dialog is over: exactly once, last. No error if either side has closed it. */
  onClose(error?: Error): void;
}

/** A short exchange of JSON signals with one peer. At most once, in order, each body at most 16 KiB. */
export interface Dialog {
  /**
   * The IP address at which the service that carries the dialog itself sees the peer: a literal, or absent where it
   * does not know. What the peer says of itself never comes here.
   */
  readonly observedAddress?: string | undefined;
  /**
   * Resolves when the signal is handed on, which says nothing about its arrival. Rejects with ERR_OUT_OF_RANGE
   * for a body that is too long and with ERR_STREAM_DESTROYED after the dialog is over.
   */
  send(body: Json): Promise<void>;
  /** Signals that came before wait for it; a peer that sends more than 64 of them loses the dialog. */
  attach(sink: DialogSink): void;
  /** Ends both sides. Signals sent before still arrive. Idempotent. */
  close(): void;
  /**
   * A byte pipe to the peer through the service that carries the dialog; both sides call it, once. It outlives the
   * dialog. Absent where the service does not relay. What goes through it is not sealed. `remote` is what the channel
   * says of the peer. It ends with ECONNRESET if the peer does not call it within 10 s.
   */
  relay?(remote: Endpoint): Channel;
}

/** Where a registered transport can be signalled: the transportInfo of a signaled transport. */
export interface SignalingAddress extends JsonObject {
  /** `local-signaling`, `websocket-signaling` or `introducer-signaling`. */
  readonly type: string;
  /** 32 hexadecimal digits, derived from the key that was registered (`base/uid.ts`). */
  readonly uid: string;
}

/** What it takes to be reachable. */
export interface RegisterOptions {
  /** The word of the transport that dialogs are for; those for another one do not come. */
  readonly transportType: string;
  /** The key the uid belongs to; default: one that nobody else knows. */
  readonly keyPair?: KeyPair | undefined;
  /** 16 bytes that tell apart the uids of one key; key and salt make the uid. Default: random. */
  readonly salt?: Uint8Array | undefined;
  /** Somebody has opened a dialog. Called from the event loop only. */
  onDialog(dialog: Dialog): void;
  /** Reachable no more though nobody here closed it, such as after a newer registration of the same uid. */
  onClose?(error: Error): void;
}

/** One uid under which dialogs come in, until it is closed. */
export interface Registration {
  readonly address: SignalingAddress;
  /** No new dialogs come; those that are open live on. Idempotent. */
  close(): void;
  /** Let the registration keep the process alive (the default). */
  ref(): void;
  unref(): void;
}

/** A TURN server and what it takes to use it for a while. */
export interface TurnService {
  /** `turn:` and `turns:` URIs (RFC 7065). */
  readonly uris: readonly string[];
  readonly username: string;
  readonly password: string;
}

/** What a signaling service offers besides dialogs. */
export interface SignalingServices {
  /** `stun:` URIs (RFC 7064) of servers that tell a reflexive address, most useful first. */
  readonly stun: readonly string[];
  readonly turn: readonly TurnService[];
  /** The IP address at which the service sees this client. */
  readonly observedAddress?: string | undefined;
}

/** Carries dialogs between endpoints that cannot reach each other yet. Several transports may share one. */
export interface Signaling {
  /** Whether `open` makes sense for this address. Pure, never throws, whatever a stranger wrote. */
  accepts(address: JsonObject): boolean;
  /** Whether a proxy looks up the names in this address, so that nobody here has to, or may. Absent: never. */
  leavesNames?(address: JsonObject): boolean;
  /** Rejects with a code if that cannot be had in 5 s. */
  register(options: RegisterOptions): Promise<Registration>;
  /**
   * Rejects with ERR_1TP_PEER_OFFLINE if nobody is registered there for this transport, with
   * ERR_1TP_SIGNALING_LIMIT beyond a limit, and with the reason of `signal` when that aborts.
   */
  open(address: SignalingAddress, transportType: string, signal?: AbortSignal): Promise<Dialog>;
  /** Rejects with a code if the service cannot be asked in 5 s. Absent where dialogs are all it has. */
  services?(signal?: AbortSignal): Promise<SignalingServices>;
  /** Ends every registration and dialog. Resolves when nothing is left open; the signaling is of no use then. */
  close(): Promise<void>;
}
