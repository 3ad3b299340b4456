import { concat, EMPTY } from "../base/bytes.ts";
import { invariant } from "../base/errors.ts";
import { hkdf } from "../base/hkdf.ts";
import type { CipherName, Crypto, KeyPair } from "../contract/crypto.ts";
import type { Random } from "../contract/runtime.ts";
import { CipherState } from "./cipher-state.ts";

/** Bytes of an X25519 public key and of every hash here. */
const KEY_LENGTH = 32;
const TAG_LENGTH = 16;

/** The handshake patterns of a session, as Noise names them. */
export type PatternName = "IK" | "XX";

type Token = "e" | "s" | "ee" | "es" | "se" | "ss";

/** Noise §7.5. The initiator writes the first message, then the sides take turns. */
const PATTERNS: Readonly<Record<PatternName, readonly (readonly Token[])[]>> = {
  IK: [
    ["e", "es", "s", "ss"],
    ["e", "ee", "se"],
  ],
  XX: [["e"], ["e", "ee", "s", "es"], ["s", "se"]],
};

/** What a Noise handshake starts from. */
export interface NoiseOptions {
  readonly crypto: Crypto;
  readonly random: Random;
  readonly pattern: PatternName;
  readonly cipher: CipherName;
  readonly initiator: boolean;
  readonly prologue: Uint8Array;
  readonly staticKeys: KeyPair;
  /** What the two static keys agree on, for who remembers it; default: `staticKeys.agree`. */
  readonly agreeWithPeer?: KeyPair["agree"];
  /** The responder's static key, which the initiator of an IK must know. */
  readonly remoteKey?: Uint8Array | undefined;
}

/** Noise's SymmetricState (Noise §5.2). */
class SymmetricState {
  readonly #crypto: Crypto;
  readonly #cipher: CipherName;
  #chainingKey: Uint8Array;
  #hash: Uint8Array;
  #key: CipherState | undefined;

  constructor(crypto: Crypto, pattern: PatternName, cipher: CipherName) {
    this.#crypto = crypto;
    this.#cipher = cipher;
    // Names of up to 32 bytes, as all of ours, are padded, not hashed.
    this.#hash = new Uint8Array(KEY_LENGTH);
    new TextEncoder().encodeInto(`Noise_${pattern}_25519_${cipher}_SHA256`, this.#hash);
    this.#chainingKey = this.#hash;
  }

  get hash(): Uint8Array {
    return this.#hash;
  }

  get hasKey(): boolean {
    return this.#key !== undefined;
  }

  mixHash(data: Uint8Array): void {
    this.#hash = this.#crypto.sha256(this.#hash, data);
  }

  mixKey(secret: Uint8Array): void {
    const [chainingKey, key] = this.#derive(secret);
    this.#chainingKey = chainingKey;
    this.#key = new CipherState(this.#crypto, this.#cipher, key);
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const sealed = this.#key ? this.#key.encrypt(this.#hash, plaintext) : plaintext;
    this.mixHash(sealed);
    return sealed;
  }

  decryptAndHash(sealed: Uint8Array): Uint8Array | undefined {
    const plaintext = this.#key ? this.#key.decrypt(this.#hash, sealed) : sealed;
    this.mixHash(sealed);
    return plaintext;
  }

  split(): [initiators: CipherState, responders: CipherState] {
    const [first, second] = this.#derive(EMPTY);
    const state = (key: Uint8Array): CipherState => new CipherState(this.#crypto, this.#cipher, key);
    return [state(first), state(second)];
  }

  #derive(secret: Uint8Array): [Uint8Array, Uint8Array] {
    const bytes = hkdf(this.#crypto, this.#chainingKey, secret, 2 * KEY_LENGTH);
    return [bytes.subarray(0, KEY_LENGTH), bytes.subarray(KEY_LENGTH)];
  }
}

/** Noise's HandshakeState for IK and XX (Noise §5.3): `write` and `read` in turns until `finished`. */
export class NoiseHandshake {
  readonly #options: NoiseOptions;
  readonly #symmetric: SymmetricState;
  #ephemeralKeys: KeyPair | undefined;
  #remoteEphemeral: Uint8Array | undefined;
  #remoteStatic: Uint8Array | undefined;
  #turn = 0;

  constructor(options: NoiseOptions) {
    const { crypto, pattern, cipher, prologue, initiator, staticKeys, remoteKey } = options;
    this.#options = options;
    this.#symmetric = new SymmetricState(crypto, pattern, cipher);
    this.#symmetric.mixHash(prologue);
    this.#remoteStatic = remoteKey;
    if (pattern === "IK") {
      const known = initiator ? remoteKey : staticKeys.publicKey;
      invariant(known, "whoever starts an IK knows the responder's key");
      this.#symmetric.mixHash(known);
    }
  }

  /** The peer's static key, as far as it has been read. */
  get remoteKey(): Uint8Array | undefined {
    return this.#remoteStatic;
  }

  get finished(): boolean {
    return this.#turn === PATTERNS[this.#options.pattern].length;
  }

  /** Differs for every handshake, and both sides have the same (Noise §11.2). */
  get hash(): Uint8Array {
    return this.#symmetric.hash;
  }

  /** Bytes of the next message beyond those of its payload. */
  get overhead(): number {
    let length = 0;
    let hasKey = this.#symmetric.hasKey;
    for (const token of this.#tokens) {
      if (token === "e") length += KEY_LENGTH;
      else if (token === "s") length += KEY_LENGTH + (hasKey ? TAG_LENGTH : 0);
      else hasKey = true;
    }
    return length + (hasKey ? TAG_LENGTH : 0);
  }

  /** The next message; undefined if the peer's key is of low order. */
  write(payload: Uint8Array): Uint8Array | undefined {
    const parts: Uint8Array[] = [];
    for (const token of this.#tokens) {
      if (token === "e") parts.push(this.#writeEphemeral());
      else if (token === "s") parts.push(this.#symmetric.encryptAndHash(this.#options.staticKeys.publicKey));
      else if (!this.#mix(token)) return undefined;
    }
    parts.push(this.#symmetric.encryptAndHash(payload));
    this.#turn++;
    return concat(parts);
  }

  /** The payload of the peer's message; undefined if it is not genuine, and then this handshake is over. */
  read(message: Uint8Array): Uint8Array | undefined {
    let rest = message;
    for (const token of this.#tokens) {
      if (token === "e" || token === "s") {
        const length = KEY_LENGTH + (token === "s" && this.#symmetric.hasKey ? TAG_LENGTH : 0);
        if (rest.length < length || !this.#readKey(token, rest.subarray(0, length))) return undefined;
        rest = rest.subarray(length);
      } else if (!this.#mix(token)) return undefined;
    }
    const payload = this.#symmetric.decryptAndHash(rest);
    this.#turn++;
    return payload;
  }

  /** The keys of the two directions. */
  split(): { send: CipherState; receive: CipherState } {
    invariant(this.finished, "a handshake is split when it is finished");
    const [initiators, responders] = this.#symmetric.split();
    return this.#options.initiator
      ? { send: initiators, receive: responders }
      : { send: responders, receive: initiators };
  }

  get #tokens(): readonly Token[] {
    const tokens = PATTERNS[this.#options.pattern][this.#turn];
    invariant(tokens, "a finished handshake has no further message");
    return tokens;
  }

  #writeEphemeral(): Uint8Array {
    const { crypto, random } = this.#options;
    this.#ephemeralKeys = crypto.keyPair(random.fill(new Uint8Array(KEY_LENGTH)));
    this.#symmetric.mixHash(this.#ephemeralKeys.publicKey);
    return this.#ephemeralKeys.publicKey;
  }

  #readKey(token: "e" | "s", bytes: Uint8Array): boolean {
    if (token === "e") {
      this.#remoteEphemeral = new Uint8Array(bytes);
      this.#symmetric.mixHash(this.#remoteEphemeral);
      return true;
    }
    this.#remoteStatic = this.#symmetric.decryptAndHash(bytes);
    return this.#remoteStatic !== undefined;
  }

  /** The first letter of a token is the initiator's key, the second one the responder's. */
  #mix(token: Exclude<Token, "e" | "s">): boolean {
    const [mine, theirs] = this.#options.initiator ? [token[0], token[1]] : [token[1], token[0]];
    const keys = mine === "e" ? this.#ephemeralKeys : this.#options.staticKeys;
    const remote = theirs === "e" ? this.#remoteEphemeral : this.#remoteStatic;
    invariant(keys && remote, "a pattern mixes only keys that were sent");
    const { agreeWithPeer } = this.#options;
    const secret = token === "ss" && agreeWithPeer ? agreeWithPeer(remote) : keys.agree(remote);
    if (secret) this.#symmetric.mixKey(secret);
    return secret !== undefined;
  }
}
