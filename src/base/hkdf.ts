import type { Crypto } from "../contract/crypto.ts";
import { concat, EMPTY } from "./bytes.ts";

/** `length` bytes (at most 8160) of HKDF-SHA-256 (RFC 5869). Without `info` it is Noise's HKDF too (Noise §4.3). */
export function hkdf(
  crypto: Crypto,
  salt: Uint8Array,
  secret: Uint8Array,
  length: number,
  info: Uint8Array = EMPTY,
): Uint8Array {
  const key = crypto.hmacSha256(salt, secret);
  const blocks: Uint8Array[] = [];
  let block: Uint8Array = EMPTY;
  for (let i = 1; blocks.length * 32 < length; i++) {
    block = crypto.hmacSha256(key, concat([block, info, Uint8Array.of(i)]));
    blocks.push(block);
  }
  return concat(blocks).subarray(0, length);
}
