/** The ciphers of a session, as Noise names them. */
export type CipherName = "AESGCM" | "ChaChaPoly";

/** An X25519 key pair (RFC 7748) whose private half stays inside. */
export interface KeyPair {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /**
   * The shared secret, 32 bytes; undefined for a public key of the wrong length or of low order. The
   * array must not change afterwards: what was made of it may be used again.
   */
  agree(publicKey: Uint8Array): Uint8Array | undefined;
}

/** AES-256-GCM (NIST SP 800-38D) or ChaCha20-Poly1305 (RFC 8439) under one key. Nonces have 12 bytes. */
export interface Aead {
  /** Writes the ciphertext and the tag of 16 bytes into `out` at `at`, where there is room for them. */
  seal(nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void;
  /** The plaintext in a new array; undefined if `sealed` is not authentic. */
  open(nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

/** The primitives sessions, signaling and STUN stand on. Other arguments are read before a call returns. */
export interface Crypto {
  /** `secret` is 32 random bytes. */
  keyPair(secret: Uint8Array): KeyPair;
  /** Of `data` with `more` behind it. */
  sha256(data: Uint8Array, more?: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** For STUN (MESSAGE-INTEGRITY, RFC 8489 §14.5) and the REST credentials of TURN alone. */
  hmacSha1(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** For STUN's long-term keys alone (RFC 8489 §9.2.2). */
  md5(data: Uint8Array): Uint8Array;
  /** `key` has 32 bytes, which must not change afterwards. */
  aead(cipher: CipherName, key: Uint8Array): Aead;
}
