import { fromBase64Url, toBase64Url } from "../base/bytes.ts";
import type { Crypto, KeyPair } from "../contract/crypto.ts";
import type { Random } from "../contract/runtime.ts";

const KEY_LENGTH = 32;
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** What the text of a secret begins with, so that people and scanners know one when they see it. */
const SECRET_PREFIX = "1tp-secret-";

/** Chosen: 120 bits, six groups of four letters: out of reach of forgers, and still read aloud. */
const FINGERPRINT_LETTERS = 24;

/** Chosen: the peers of a busy hour, in some tens of kilobytes. */
const MAX_AGREED = 128;

/** An X25519 key by which an endpoint is known. The secret half shows in no log and no JSON. */
export class Identity {
  /** As in a connectionInfo entry: base64url without padding. */
  readonly publicKey: string;
  /** The key as the sessions use it. */
  readonly keyPair: KeyPair;
  readonly #secret: Uint8Array;
  /** By peer, the longest known first. */
  readonly #agreed = new Map<string, Uint8Array>();

  /** `secret` is 32 random bytes. */
  constructor(crypto: Crypto, secret: Uint8Array) {
    this.#secret = new Uint8Array(secret);
    this.keyPair = crypto.keyPair(this.#secret);
    this.publicKey = toBase64Url(this.keyPair.publicKey);
  }

  /** The whole identity as one line of text, to be kept secret. `parseIdentity` reads it. */
  exportSecret(): string {
    return SECRET_PREFIX + toBase64Url(this.#secret);
  }

  /** As `keyPair.agree`, for the lasting key of a peer: what was found for the latest ones is not computed anew. */
  agreeWithPeer(publicKey: Uint8Array): Uint8Array | undefined {
    const known = this.recall(publicKey);
    const secret = known ?? this.keyPair.agree(publicKey);
    if (secret && !known) this.remember(publicKey, secret);
    return secret;
  }

  /** What was agreed on with this peer, if it is among the latest ones. */
  recall(publicKey: Uint8Array): Uint8Array | undefined {
    return this.#agreed.get(nameOf(publicKey));
  }

  /** Keeps what was agreed on with a peer, for the next time. */
  remember(publicKey: Uint8Array, secret: Uint8Array): void {
    const [oldest] = this.#agreed.keys();
    if (this.#agreed.size === MAX_AGREED) this.#agreed.delete(oldest!);
    this.#agreed.set(nameOf(publicKey), secret);
  }

  /** The public key alone. */
  toJSON(): object {
    return { publicKey: this.publicKey };
  }
}

function nameOf(publicKey: Uint8Array): string {
  return String.fromCharCode(...publicKey);
}

/** A fresh identity. */
export function createIdentity(crypto: Crypto, random: Random): Identity {
  return new Identity(crypto, random.fill(new Uint8Array(KEY_LENGTH)));
}

/** Reads what `exportSecret` gave; undefined if it is something else. */
export function parseIdentity(crypto: Crypto, text: string): Identity | undefined {
  const line = text.trim();
  const secret = line.startsWith(SECRET_PREFIX) ? parseKey(line.slice(SECRET_PREFIX.length)) : undefined;
  return secret && new Identity(crypto, secret);
}

/** The 32 bytes of a key in base64url, such as the `publicKey` of an entry; undefined if it is none. */
export function parseKey(text: string): Uint8Array | undefined {
  const bytes = fromBase64Url(text);
  return bytes?.length === KEY_LENGTH ? bytes : undefined;
}

/** What people compare, such as `k3fq-…`: the first 120 bits of the public key's SHA-256 in base 32. */
export function fingerprint(crypto: Crypto, publicKey: string): string {
  const hash = crypto.sha256(parseKey(publicKey) ?? new Uint8Array(0));
  let letters = "";
  for (let i = 0; i < FINGERPRINT_LETTERS; i++) {
    const [byte, bit] = [(i * 5) >> 3, (i * 5) & 7];
    letters += BASE32[(((hash[byte]! << 8) | hash[byte + 1]!) >> (11 - bit)) & 31];
  }
  return letters.replace(/.{4}(?=.)/g, "$&-");
}
