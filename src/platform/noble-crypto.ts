import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { hmac } from "@noble/hashes/hmac.js";
import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat } from "../base/bytes.ts";
import type { Aead, CipherName, Crypto, KeyPair } from "../contract/crypto.ts";

const CIPHERS = { AESGCM: gcm, ChaChaPoly: chacha20poly1305 } as const;

class NobleKeyPair implements KeyPair {
  readonly publicKey: Uint8Array;
  readonly #secret: Uint8Array;

  constructor(secret: Uint8Array) {
    this.#secret = new Uint8Array(secret);
    this.publicKey = x25519.getPublicKey(this.#secret);
  }

  agree(publicKey: Uint8Array): Uint8Array | undefined {
    try {
      return x25519.getSharedSecret(this.#secret, publicKey);
    } catch {
      return undefined;
    }
  }
}

class NobleAead implements Aead {
  readonly #cipher: CipherName;
  readonly #key: Uint8Array;

  constructor(cipher: CipherName, key: Uint8Array) {
    this.#cipher = cipher;
    this.#key = key;
  }

  seal(nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void {
    out.set(CIPHERS[this.#cipher](this.#key, nonce, ad).encrypt(plaintext), at);
  }

  open(nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    try {
      return CIPHERS[this.#cipher](this.#key, nonce, ad).decrypt(sealed);
    } catch {
      return undefined;
    }
  }
}

/** The primitives in JavaScript, for runtimes without `node:crypto`. */
export const nobleCrypto: Crypto = {
  keyPair: (secret) => new NobleKeyPair(secret),
  sha256: (data, more) => sha256(more ? concat([data, more]) : data),
  hmacSha256: (key, data) => hmac(sha256, key, data),
  hmacSha1: (key, data) => hmac(sha1, key, data),
  md5: (data) => md5(data),
  aead: (cipher, key) => new NobleAead(cipher, key),
};
