import type { Crypto } from "../contract/crypto.ts";
import { EMPTY } from "./bytes.ts";

/** Bytes of a SHA-256. */
const HASH = 32;

/** `length` bytes (at most 8160) of HKDF-SHA-256 (RFC 5869). Without `info` it is Noise's HKDF too (Noise §4.3). */
export function hkdf(
  crypto: Crypto,
  salt: Uint8Array,
  secret: Uint8Array,
  length: number,
  info: Uint8Array = EMPTY,
): Uint8Array {
  const key = crypto.hmacSha256(salt, secret);
  const count = Math.ceil(length / HASH);
  const blocks = new Uint8Array(count * HASH);
  const message = new Uint8Array(HASH + info.length + 1);
  message.set(info, HASH);
  for (let i = 1; i <= count; i++) {
    message[message.length - 1] = i;
    const block = crypto.hmacSha256(key, i === 1 ? message.subarray(HASH) : message);
    blocks.set(block, (i - 1) * HASH);
    message.set(block);
  }
  return blocks.subarray(0, length);
}
