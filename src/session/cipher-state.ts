import { EMPTY } from "../base/bytes.ts";
import type { Aead, CipherName, Crypto } from "../contract/crypto.ts";

/** Bytes a ciphertext is longer than its plaintext. */
export const TAG_LENGTH = 16;

/**
 * Chosen: below the 2^34.5 blocks AES-GCM may encrypt under one key (RFC 8446 §5.5) even if every record
 * were of 64 KB, and the same for both ciphers.
 */
const RECORDS_PER_KEY = 2 ** 20;

/** A nonce is read by the call it is made for, so one serves all. */
const nonce = new Uint8Array(12);
const nonceView = new DataView(nonce.buffer);

/** One direction under one key: Noise's CipherState (Noise §5.1). */
export class CipherState {
  /** The number of the next message. */
  counter = 0;
  readonly #crypto: Crypto;
  readonly #cipher: CipherName;
  #aead: Aead;

  constructor(crypto: Crypto, cipher: CipherName, key: Uint8Array) {
    this.#crypto = crypto;
    this.#cipher = cipher;
    this.#aead = crypto.aead(cipher, key);
  }

  /** The next message, in a new array. */
  encrypt(ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(plaintext.length + TAG_LENGTH);
    this.#aead.seal(this.#nextNonce(), ad, plaintext, sealed, 0);
    return sealed;
  }

  /** Undefined if `sealed` is not the next message. */
  decrypt(ad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    return this.#aead.open(this.#nextNonce(), ad, sealed);
  }

  /** As `encrypt`, into `out` at `at`, with a new key in good time, as the peer's `openRecord` takes it. */
  sealRecord(plaintext: Uint8Array, out: Uint8Array, at: number): void {
    this.#aead.seal(this.#nextNonce(), EMPTY, plaintext, out, at);
    if (this.counter % RECORDS_PER_KEY === 0) this.rekey();
  }

  openRecord(sealed: Uint8Array): Uint8Array | undefined {
    const plaintext = this.decrypt(EMPTY, sealed);
    if (this.counter % RECORDS_PER_KEY === 0) this.rekey();
    return plaintext;
  }

  /** Replaces the key by one that does not lead back to it (Noise §4.2, §11.3). */
  rekey(): void {
    nonceView.setBigUint64(4, 2n ** 64n - 1n);
    const sealed = new Uint8Array(32 + TAG_LENGTH);
    this.#aead.seal(nonce, EMPTY, new Uint8Array(32), sealed, 0);
    this.#aead = this.#crypto.aead(this.#cipher, sealed.subarray(0, 32));
  }

  /** AESGCM counts big-endian, ChaChaPoly little-endian (Noise §12). */
  #nextNonce(): Uint8Array {
    const littleEndian = this.#cipher === "ChaChaPoly";
    const counter = this.counter++;
    const high = Math.floor(counter / 2 ** 32);
    nonceView.setUint32(littleEndian ? 8 : 4, high, littleEndian);
    nonceView.setUint32(littleEndian ? 4 : 8, counter >>> 0, littleEndian);
    return nonce;
  }
}
