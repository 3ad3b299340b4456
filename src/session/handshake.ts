import { OnetpError } from "../base/errors.ts";
import type { Crypto } from "../contract/crypto.ts";
import type { Random } from "../contract/runtime.ts";
import type { CipherState } from "./cipher-state.ts";
import type { Identity } from "./identity.ts";
import type { NoiseHandshake } from "./noise.ts";

/** What both sides of a handshake need. */
export interface HandshakeOptions {
  readonly crypto: Crypto;
  readonly random: Random;
  readonly identity: Identity;
  /** What the handshake is for; both sides have the same, or it fails. Default: a session. */
  readonly context?: Uint8Array;
}

/** The outcome of a handshake. */
export interface Established {
  readonly send: CipherState;
  readonly receive: CipherState;
  /** As in a connectionInfo entry. */
  readonly remotePublicKey: string;
  readonly sessionId: Uint8Array;
}

/** What a handshake wants after it was given something. `bytes` are for the peer. */
export type HandshakeStep =
  | { readonly type: "reply"; readonly bytes: Uint8Array }
  /** The peer has named itself: `answer`, once, whether it may go on. */
  | {
      readonly type: "peer";
      readonly publicKey: string;
      /** What came along; nothing proves yet that it is no repetition. */
      readonly early: Uint8Array | undefined;
      readonly answer: (admitted: boolean) => HandshakeStep;
    }
  | { readonly type: "established"; readonly established: Established; readonly bytes?: Uint8Array }
  /** Over. With `established`, the refusal is still to be told in the session. */
  | {
      readonly type: "failed";
      readonly error: OnetpError;
      readonly bytes?: Uint8Array;
      readonly established?: Established;
    };

/** What a plain session's prologue begins with. */
export const SESSION_CONTEXT: Uint8Array = new TextEncoder().encode("1tp-session");

/** What a finished handshake leaves: the keys of both directions and who the peer is. */
export function establish(
  noise: NoiseHandshake,
  sessionId: Uint8Array,
  remotePublicKey: string,
): Established {
  const { send, receive } = noise.split();
  return { send, receive, remotePublicKey, sessionId };
}

/** What a dialler learns who may not come in. */
export function notAdmitted(): OnetpError {
  const detail = "the server does not admit this identity";
  return new OnetpError("ERR_1TP_PEER_REFUSED", { phase: "handshake", detail });
}
