import type { Crypto } from "../contract/crypto.ts";
import { FINGERPRINT_TYPE, fingerprintOf } from "./fingerprint.ts";
import {
  ATTRIBUTE_HEADER_SIZE,
  type Attribute,
  encodeMessage,
  findAttribute,
  INTEGRITY_SHA256_TYPE,
  INTEGRITY_TYPE,
  type Message,
  setLength,
} from "./message.ts";

/** MESSAGE-INTEGRITY (RFC 8489 §14.5) or MESSAGE-INTEGRITY-SHA256 (§14.6). */
export type IntegrityAlgorithm = "sha1" | "sha256";

/** What makes or checks a message's integrity. */
export interface IntegrityKey {
  readonly crypto: Crypto;
  readonly algorithm: IntegrityAlgorithm;
  readonly key: Uint8Array;
}

const TYPES = { sha1: INTEGRITY_TYPE, sha256: INTEGRITY_SHA256_TYPE } as const;
const MAC_SIZES = { sha1: 20, sha256: 32 } as const;
/** The shortest that MESSAGE-INTEGRITY-SHA256 may be cut to (RFC 8489 §14.6). */
const LEAST_SHA256_SIZE = 16;

/** The bytes of a message with its integrity, if there is a key, and its fingerprint, if wanted, at the end. */
export function sealMessage(
  message: Message,
  integrity: IntegrityKey | undefined,
  fingerprint: boolean,
): Uint8Array {
  const seals: Attribute[] = [];
  if (integrity) seals.push(blank(TYPES[integrity.algorithm], MAC_SIZES[integrity.algorithm]));
  if (fingerprint) seals.push(blank(FINGERPRINT_TYPE, 4));
  const bytes = encodeMessage({ ...message, attributes: [...message.attributes, ...seals] });
  const fingerprintAt = fingerprint ? bytes.length - ATTRIBUTE_HEADER_SIZE - 4 : bytes.length;
  if (integrity) {
    const valueAt = fingerprintAt - MAC_SIZES[integrity.algorithm];
    setLength(bytes, fingerprintAt);
    bytes.set(macOf(integrity, bytes.subarray(0, valueAt - ATTRIBUTE_HEADER_SIZE)), valueAt);
    setLength(bytes, bytes.length);
  }
  if (fingerprint)
    bytes.set(fingerprintOf(bytes.subarray(0, fingerprintAt)), fingerprintAt + ATTRIBUTE_HEADER_SIZE);
  return bytes;
}

function blank(type: number, size: number): Attribute {
  return { type, value: new Uint8Array(size) };
}

/** Whether a message that was decoded is authentic; undefined if it has no integrity by that algorithm. Takes constant time. */
export function checkIntegrity(bytes: Uint8Array, integrity: IntegrityKey): boolean | undefined {
  const at = findAttribute(bytes, TYPES[integrity.algorithm]);
  if (at === undefined) return undefined;
  const size = (bytes[at + 2]! << 8) | bytes[at + 3]!;
  if (!sizeFits(integrity.algorithm, size)) return false;
  const start = at + ATTRIBUTE_HEADER_SIZE;
  const covered = bytes.slice(0, at);
  setLength(covered, start + size);
  const mac = macOf(integrity, covered);
  let difference = 0;
  for (let i = 0; i < size; i++) difference |= mac[i]! ^ bytes[start + i]!;
  return difference === 0;
}

function sizeFits(algorithm: IntegrityAlgorithm, size: number): boolean {
  if (size === MAC_SIZES[algorithm]) return true;
  return algorithm === "sha256" && size >= LEAST_SHA256_SIZE && size < MAC_SIZES.sha256 && size % 4 === 0;
}

function macOf({ crypto, algorithm, key }: IntegrityKey, data: Uint8Array): Uint8Array {
  return algorithm === "sha1" ? crypto.hmacSha1(key, data) : crypto.hmacSha256(key, data);
}
