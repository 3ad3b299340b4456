import { EMPTY } from "../base/bytes.ts";
import type { Aead, CipherName, Crypto } from "../contract/crypto.ts";

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

  /** `headroom` bytes to fill, then ciphertext and tag. */
  encrypt(ad: Uint8Array, plaintext: Uint8Array, headroom = 0): Uint8Array {
    return this.#aead.seal(this.#nextNonce(), ad, plaintext, headroom);
  }

  /** Undefined if `sealed` is not the next message. */
  decrypt(ad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    return this.#aead.open(this.#nextNonce(), ad, sealed);
  }

  /** As `encrypt`, for records: takes a new key in good time, as the peer's `openRecord` does. */
  sealRecord(plaintext: Uint8Array, headroom: number): Uint8Array {
    const record = this.encrypt(EMPTY, plaintext, headroom);
    if (this.counter % RECORDS_PER_KEY === 0) this.rekey();
    return record;
  }

  openRecord(sealed: Uint8Array): Uint8Array | undefined {
    const plaintext = this.decrypt(EMPTY, sealed);
    if (this.counter % RECORDS_PER_KEY === 0) this.rekey();
    return plaintext;
  }

  /** Replaces the key by one that does not lead back to it (Noise §4.2, §11.3). */
  rekey(): void {
    nonceView.setBigUint64(4, 2n ** 64n - 1n);
    const sealed = this.#aead.seal(nonce, EMPTY, new Uint8Array(32), 0);
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
