import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hash,
  type KeyObject,
} from "node:crypto";
import { EMPTY } from "../base/bytes.ts";
import type { Aead, CipherName, Crypto, KeyPair } from "../contract/crypto.ts";

const ALGORITHMS = { AESGCM: "aes-256-gcm", ChaChaPoly: "chacha20-poly1305" } as const;
const TAG_LENGTH = 16;

/** What PKCS #8 puts before the 32 bytes of an X25519 private key (RFC 8410 §7). */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");

/**
 * Imports an X25519 private key, twelve times as fast as the portable way (m). `x` is left blank: Node
 * up to 25 derives it and never looks, later ones refuse.
 */
export function importSecretFast(secret: Uint8Array): KeyObject {
  const key = { kty: "OKP", crv: "X25519", d: base64Url(secret), x: "" };
  return createPrivateKey({ key, format: "jwk" });
}

/** Imports an X25519 private key on every version of Node. */
export function importSecretPortably(secret: Uint8Array): KeyObject {
  const key = Buffer.concat([PKCS8_PREFIX, secret]);
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

const importSecret = chooseImport();

function chooseImport(): (secret: Uint8Array) => KeyObject {
  try {
    importSecretFast(new Uint8Array(32).fill(1));
    return importSecretFast;
  } catch {
    return importSecretPortably;
  }
}

function base64Url(bytes: Uint8Array): string {
  return asBuffer(bytes).toString("base64url");
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Chosen: the keys of as many handshakes under way, and of the peers met again and again. */
const MAX_IMPORTED = 64;

/** Importing a key costs a fifth of using it (m). By its text, the one that was used last at the end. */
const importedKeys = new Map<string, KeyObject>();

function importPublic(publicKey: Uint8Array): KeyObject {
  const x = base64Url(publicKey);
  const known = importedKeys.get(x);
  const imported = known ?? createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
  if (known) importedKeys.delete(x);
  else if (importedKeys.size === MAX_IMPORTED) importedKeys.delete(importedKeys.keys().next().value!);
  importedKeys.set(x, imported);
  return imported;
}

/**
 * Not `generateKeyPairSync`: exporting what that made can wait for ever on a lock that the garbage
 * collector holds (m: Node 20).
 */
class NodeKeyPair implements KeyPair {
  readonly publicKey: Uint8Array;
  readonly #privateKey: KeyObject;

  constructor(secret: Uint8Array) {
    this.#privateKey = importSecret(secret);
    const { x } = this.#privateKey.export({ format: "jwk" });
    this.publicKey = Buffer.from(x!, "base64url");
  }

  agree(publicKey: Uint8Array): Uint8Array | undefined {
    try {
      return diffieHellman({ privateKey: this.#privateKey, publicKey: importPublic(publicKey) });
    } catch {
      return undefined;
    }
  }
}

class NodeAead implements Aead {
  readonly #cipher: CipherName;
  readonly #key: Uint8Array;

  constructor(cipher: CipherName, key: Uint8Array) {
    this.#cipher = cipher;
    this.#key = key;
  }

  seal(nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void {
    // The two calls are typed by the name of the cipher and do the same.
    const cipher = createCipheriv(ALGORITHMS[this.#cipher] as "aes-256-gcm", this.#key, nonce);
    if (ad.length > 0) cipher.setAAD(ad);
    // Detaching what it answers in would free that at once, and slow down every typed array of the process (m: V8).
    out.set(cipher.update(plaintext), at);
    cipher.final();
    out.set(cipher.getAuthTag(), at + plaintext.length);
  }

  open(nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const length = sealed.length - TAG_LENGTH;
    if (length < 0) return undefined;
    const algorithm = ALGORITHMS[this.#cipher] as "aes-256-gcm";
    const decipher = createDecipheriv(algorithm, this.#key, nonce);
    decipher.setAuthTag(sealed.subarray(length));
    if (ad.length > 0) decipher.setAAD(ad);
    const plaintext = decipher.update(sealed.subarray(0, length));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return plaintext;
  }
}

const BLOCK = 64;
const HASH = 32;

/** Chosen: most of what handshakes hash is shorter. */
const SHORT = 192;

/** Where short data is put together: OpenSSL reads arrays of their own more slowly than it hashes them (m). */
const scratch = new Uint8Array(BLOCK + SHORT);
const outer = new Uint8Array(BLOCK + HASH);

/** Writes the hash into `out`. It comes as text, since an array of OpenSSL's has memory of its own, which costs more than the hash (m). */
function digest(data: Uint8Array, out: Uint8Array, at: number): void {
  const text = hash("sha256", data, "binary");
  for (let i = 0; i < HASH; i++) out[at + i] = text.charCodeAt(i);
}

function sha256(data: Uint8Array, more: Uint8Array = EMPTY): Uint8Array {
  const length = data.length + more.length;
  const joined = length > SHORT ? new Uint8Array(length) : scratch.subarray(0, length);
  joined.set(data);
  joined.set(more, data.length);
  const result = new Uint8Array(HASH);
  digest(joined, result, 0);
  return result;
}

/** RFC 2104. Two hashes at one call each leave no native object to the garbage collector, as a `Hmac` does. */
function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  const short = key.length > BLOCK ? sha256(key) : key;
  const length = BLOCK + data.length;
  const inner = data.length > SHORT ? new Uint8Array(length) : scratch.subarray(0, length);
  for (let i = 0; i < BLOCK; i++) {
    const byte = short[i] ?? 0;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  inner.set(data, BLOCK);
  digest(inner, outer, BLOCK);
  const result = new Uint8Array(HASH);
  digest(outer, result, 0);
  return result;
}

/** The primitives of OpenSSL, through `node:crypto`. */
export const nodeCrypto: Crypto = {
  keyPair: (secret) => new NodeKeyPair(secret),
  sha256,
  hmacSha256,
  hmacSha1: (key, data) => createHmac("sha1", key).update(data).digest(),
  md5: (data) => hash("md5", data, "buffer"),
  aead: (cipher, key) => new NodeAead(cipher, key),
};
