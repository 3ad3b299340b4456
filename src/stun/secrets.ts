import type { Crypto } from "../contract/crypto.ts";
import { AttributeKind, opaque } from "./attribute.ts";

const encoder = new TextEncoder();

/** What a long-term key is made with (RFC 8489 §18.5.1), by its number on the wire. */
const PASSWORD_ALGORITHM_NUMBERS = { md5: 1, sha256: 2 } as const;

/** How a password becomes a long-term key. */
export type PasswordAlgorithm = keyof typeof PASSWORD_ALGORITHM_NUMBERS;

/** SHA-256 of user and realm, in place of the name (RFC 8489 §14.4). */
export const USERHASH = opaque(0x001e, (length) => length === 32);

/** What the client chose (RFC 8489 §14.12). */
export const PASSWORD_ALGORITHM = new AttributeKind<PasswordAlgorithm>(0x001d, {
  encode: (algorithm) => Uint8Array.of(0, PASSWORD_ALGORITHM_NUMBERS[algorithm], 0, 0),
  decode(bytes) {
    const algorithms = decodeAlgorithms(bytes);
    return algorithms?.length === 1 ? algorithms[0] : undefined;
  },
});

/** What the server offers, best first: sent back as it came, so its bytes are its value (RFC 8489 §14.11). */
export const PASSWORD_ALGORITHMS = opaque(0x8002);

/** The algorithms of PASSWORD-ALGORITHMS that are known here, in the server's order; undefined if it is malformed. */
export function decodeAlgorithms(bytes: Uint8Array): readonly PasswordAlgorithm[] | undefined {
  const algorithms: PasswordAlgorithm[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + 4 > bytes.length) return undefined;
    const number = (bytes[at]! << 8) | bytes[at + 1]!;
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    if (number === PASSWORD_ALGORITHM_NUMBERS.md5 && length === 0) algorithms.push("md5");
    if (number === PASSWORD_ALGORITHM_NUMBERS.sha256 && length === 0) algorithms.push("sha256");
    at += 4 + length;
    // The last one may come without its padding.
    if (at > bytes.length) return undefined;
    at = Math.min(bytes.length, (at + 3) & ~3);
  }
  return algorithms;
}

/**
 * A name or password as it is hashed: spaces of every kind as U+0020, then normalization form C (the
 * OpaqueString profile, RFC 8265 §4.2.2). Characters it forbids are left to the server.
 */
export function opaqueString(text: string): string {
  return text.replace(/\p{Zs}/gu, " ").normalize("NFC");
}

/** The key of short-term credentials: the password (RFC 8489 §9.1.1). */
export function shortTermKey(password: string): Uint8Array {
  return encoder.encode(opaqueString(password));
}

/** The key of long-term credentials (RFC 8489 §9.2.2 and §18.5.1). */
export function longTermKey(
  crypto: Crypto,
  algorithm: PasswordAlgorithm,
  username: string,
  realm: string,
  password: string,
): Uint8Array {
  const text = [username, realm, password].map(opaqueString).join(":");
  return algorithm === "md5" ? crypto.md5(encoder.encode(text)) : crypto.sha256(encoder.encode(text));
}

/** The value of USERHASH. */
export function userHash(crypto: Crypto, username: string, realm: string): Uint8Array {
  return crypto.sha256(encoder.encode([username, realm].map(opaqueString).join(":")));
}
