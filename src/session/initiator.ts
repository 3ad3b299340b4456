import { toBase64Url } from "../base/bytes.ts";
import { OnetpError } from "../base/errors.ts";
import type { CipherName } from "../contract/crypto.ts";
import type { ByteQueue } from "./byte-queue.ts";
import {
  establish,
  type HandshakeOptions,
  type HandshakeStep,
  notAdmitted,
  SESSION_CONTEXT,
} from "./handshake.ts";
import { ALERTS, frameMessage, type Hello, prologueOf, takeInput } from "./hello.ts";
import { parseKey } from "./identity.ts";
import { NoiseHandshake } from "./noise.ts";
import { decodePayload, encodePayload, SESSION_ID_LENGTH } from "./payload.ts";

/** Hello byte and length. */
const FLIGHT_HEADER = 3;

/** Chosen: an IK's size without padding, and more than any answer to it, so that none is an amplification. */
const SMALLEST_FLIGHT = 118;

/** What a dialler knows of the server. */
export interface InitiatorOptions extends HandshakeOptions {
  /** The entry's `publicKey`. */
  readonly remotePublicKey: string | undefined;
  /** Talk to whoever answers if the entry has no key. Never to anybody else if it has one. */
  readonly allowUnknownPeer?: boolean | undefined;
  /** Default AESGCM. */
  readonly cipher?: CipherName | undefined;
}

/** The dialler's side of a handshake: IK to a known key, XX to whoever answers. */
export class Initiator {
  readonly role = "initiator";
  readonly #hello: Hello;
  readonly #noise: NoiseHandshake;
  readonly #sessionId: Uint8Array;
  readonly #remotePublicKey: string | undefined;
  #firstFlight: Uint8Array | undefined;

  /** @throws OnetpError if the peer's key is missing or cannot be one. */
  constructor(options: InitiatorOptions) {
    const { crypto, random, identity, cipher = "AESGCM", context = SESSION_CONTEXT } = options;
    const remoteKey = usableKey(options);
    this.#remotePublicKey = options.remotePublicKey;
    this.#hello = { pattern: remoteKey ? "IK" : "XX", cipher };
    this.#sessionId = random.fill(new Uint8Array(SESSION_ID_LENGTH));
    this.#noise = new NoiseHandshake({
      pattern: this.#hello.pattern,
      cipher,
      crypto,
      random,
      initiator: true,
      prologue: prologueOf(context, this.#hello),
      staticKeys: identity.keyPair,
      agreeWithPeer: (key) => identity.agreeWithPeer(key),
      remoteKey,
    });
  }

  /** Whether the first flight can carry something that only the peer can read. */
  get seals(): boolean {
    return this.#hello.pattern === "IK";
  }

  /**
   * What is said first; the same bytes every time. The first call may ask for it to be filled up to `padTo`
   * bytes, and give what it is to carry if it `seals`.
   */
  firstFlight(padTo = 0, early?: Uint8Array): Uint8Array {
    if (!this.#firstFlight) {
      // XX's first payload is in the clear.
      const payload = this.seals ? { sessionId: this.#sessionId, early } : {};
      const overhead = FLIGHT_HEADER + this.#noise.overhead;
      const padded = encodePayload(payload, Math.max(padTo, SMALLEST_FLIGHT) - overhead);
      this.#firstFlight = frameMessage(this.#noise.write(padded)!, this.#hello);
    }
    return this.#firstFlight;
  }

  /** Takes what it can; undefined until more has come. Not after it was established or has failed. */
  handle(queue: ByteQueue): HandshakeStep | undefined {
    const input = takeInput(queue);
    if (!input) return undefined;
    if (input.type === "oversized") {
      return failed("ERR_1TP_HANDSHAKE_FAILED", "what answered does not speak 1tp, or has security 'none'");
    }
    if (input.type === "alert") return this.#alerted(input.alert);
    const payload = this.#read(input.message);
    if (!payload) return this.#mismatch();
    if (payload.refused) return { type: "failed", error: notAdmitted() };
    return this.#conclude();
  }

  #read(message: Uint8Array): ReturnType<typeof decodePayload> {
    const bytes = this.#noise.read(message);
    return bytes && decodePayload(bytes);
  }

  #mismatch(): HandshakeStep {
    return this.#hello.pattern === "IK"
      ? failed("ERR_1TP_PEER_MISMATCH", "its answer was not made with the secret of the entry's publicKey")
      : failed("ERR_1TP_HANDSHAKE_FAILED", "a message was changed on the way");
  }

  #alerted(alert: number): HandshakeStep {
    if (alert === ALERTS.unreadable) return this.#mismatch();
    const says = alert === ALERTS.unsupported ? "that it speaks another version" : `alert ${alert}`;
    return failed("ERR_1TP_HANDSHAKE_FAILED", `the peer says ${says}`);
  }

  #conclude(): HandshakeStep {
    const remotePublicKey = this.#remotePublicKey ?? toBase64Url(this.#noise.remoteKey!);
    if (this.#noise.finished) {
      return { type: "established", established: establish(this.#noise, this.#sessionId, remotePublicKey) };
    }
    const last = this.#noise.write(encodePayload({ sessionId: this.#sessionId }));
    if (!last) return failed("ERR_1TP_HANDSHAKE_FAILED", "the peer's key is of low order");
    const established = establish(this.#noise, this.#sessionId, remotePublicKey);
    return { type: "established", established, bytes: frameMessage(last) };
  }
}

function usableKey(options: InitiatorOptions): Uint8Array | undefined {
  const { remotePublicKey, allowUnknownPeer, identity } = options;
  if (remotePublicKey === undefined) {
    if (allowUnknownPeer) return undefined;
    throw new OnetpError("ERR_1TP_PEER_UNKNOWN");
  }
  const key = parseKey(remotePublicKey);
  if (!key) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { detail: "publicKey is not 32 bytes of base64url" });
  // The answer is used again by the handshake's `ss`.
  if (!identity.agreeWithPeer(key)) {
    throw new OnetpError("ERR_1TP_BAD_ADDRESS", { detail: "publicKey is no usable X25519 key" });
  }
  return key;
}

type Failure = "ERR_1TP_HANDSHAKE_FAILED" | "ERR_1TP_PEER_MISMATCH";

function failed(code: Failure, detail?: string): HandshakeStep {
  const error = new OnetpError(code, { phase: "handshake", ...(detail ? { detail } : {}) });
  return { type: "failed", error };
}
