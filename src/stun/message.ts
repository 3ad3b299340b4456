/*
 * STUN messages (RFC 8489 §5), all fields big endian:
 *
 *  0                                       16                                      32
 *  +---+---+-------------------------------+---------------------------------------+
 *  | 0 | 0 | class and method, interleaved | length of what follows the header     |
 *  +---+---+-------------------------------+---------------------------------------+
 *  | magic cookie 0x2112a442                                                       |
 *  +-------------------------------------------------------------------------------+
 *  | transaction id, 96 bits                                                       |
 *  |                                                                               |
 *  |                                                                               |
 *  +-------------------------------------------------------------------------------+
 *
 * then attributes, each `type (2) | length (2) | value | zeros up to a multiple of 4`.
 */

import { FINGERPRINT_TYPE, fingerprintOf } from "./fingerprint.ts";

/** What kind of message it is (RFC 8489 §3), by the number on the wire. */
const CLASSES = ["request", "indication", "success", "error"] as const;

/** Requests are answered by a success or an error, indications by nothing. */
export type MessageClass = (typeof CLASSES)[number];

/** One attribute as it is on the wire, without padding. */
export interface Attribute {
  /** 16 bits; below 0x8000 whoever does not understand it must say so. */
  readonly type: number;
  readonly value: Uint8Array;
}

/** A message as a plain record. */
export interface Message {
  readonly class: MessageClass;
  /** 12 bits. */
  readonly method: number;
  /** 12 bytes. */
  readonly transactionId: Uint8Array;
  readonly attributes: readonly Attribute[];
}

/** A message that came, together with its bytes, which integrity is about. */
export interface ReceivedMessage extends Message {
  readonly bytes: Uint8Array;
}

/** Why bytes are no message. */
export type MessageDefect = "short" | "type" | "cookie" | "length" | "attribute" | "crowded" | "fingerprint";

/** Bytes of a header. */
export const HEADER_SIZE = 20;
/** Bytes of an attribute besides its value. */
export const ATTRIBUTE_HEADER_SIZE = 4;
/** Bytes of a transaction id. */
export const TRANSACTION_ID_SIZE = 12;
/** RFC 8489 §5. */
export const MAGIC_COOKIE: Uint8Array = Uint8Array.of(0x21, 0x12, 0xa4, 0x42);

/** Attributes whose place matters to everybody who reads a message (RFC 8489 §14.5 and §14.6). */
export const INTEGRITY_TYPE = 0x0008;
export const INTEGRITY_SHA256_TYPE = 0x001c;

/** Chosen: several times what any message of STUN or TURN has. */
const MAX_ATTRIBUTES = 64;

/** Whether bytes can only be STUN: two zero bits, a length that is right, the magic cookie (RFC 8489 §6.3). */
export function looksLikeStun(bytes: Uint8Array): boolean {
  return headerDefect(bytes) === undefined;
}

/** The class of what looks like STUN, without a look at the rest. */
export function classOf(bytes: Uint8Array): MessageClass {
  return CLASSES[((bytes[0]! & 1) << 1) | ((bytes[1]! >> 4) & 1)]!;
}

function headerDefect(bytes: Uint8Array): MessageDefect | undefined {
  if (bytes.length < HEADER_SIZE) return "short";
  if (bytes[0]! > 0x3f) return "type";
  for (let i = 0; i < 4; i++) if (bytes[4 + i] !== MAGIC_COOKIE[i]) return "cookie";
  const length = (bytes[2]! << 8) | bytes[3]!;
  return length % 4 === 0 && HEADER_SIZE + length === bytes.length ? undefined : "length";
}

/**
 * The message in a datagram or frame, or what is wrong with it. A fingerprint that is there must be right.
 * Attributes that integrity does not cover are left out, as RFC 8489 §14.5 has it. Values are views of `bytes`.
 */
export function decodeMessage(bytes: Uint8Array): ReceivedMessage | MessageDefect {
  const defect = headerDefect(bytes);
  if (defect) return defect;
  const attributes = decodeAttributes(bytes);
  if (typeof attributes === "string") return attributes;
  const type = (bytes[0]! << 8) | bytes[1]!;
  return {
    class: classOf(bytes),
    method: ((type >> 2) & 0xf80) | ((type >> 1) & 0x70) | (type & 0xf),
    transactionId: bytes.subarray(8, HEADER_SIZE),
    attributes,
    bytes,
  };
}

function decodeAttributes(bytes: Uint8Array): Attribute[] | MessageDefect {
  const attributes: Attribute[] = [];
  let sealed = 0;
  for (let at = HEADER_SIZE; at < bytes.length; ) {
    const attribute = attributeAt(bytes, at);
    if (!attribute) return "attribute";
    if (attribute.type === FINGERPRINT_TYPE && !fingerprintMatches(bytes, at, attribute.value))
      return "fingerprint";
    const rank = sealRank(attribute.type);
    if (rank > sealed || sealed === 0) attributes.push(attribute);
    sealed = Math.max(sealed, rank);
    if (attributes.length > MAX_ATTRIBUTES) return "crowded";
    at += encodedSize(attribute);
  }
  return attributes;
}

/** The order of what ends a message: integrity, integrity by SHA-256, fingerprint. 0: anything else. */
function sealRank(type: number): number {
  return [INTEGRITY_TYPE, INTEGRITY_SHA256_TYPE, FINGERPRINT_TYPE].indexOf(type) + 1;
}

/** The attribute whose header is at that place; undefined if it does not fit. */
function attributeAt(bytes: Uint8Array, at: number): Attribute | undefined {
  const type = (bytes[at]! << 8) | bytes[at + 1]!;
  const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
  const start = at + ATTRIBUTE_HEADER_SIZE;
  if (start + padded(length) > bytes.length) return undefined;
  return { type, value: bytes.subarray(start, start + length) };
}

/** It has to be the last attribute (RFC 8489 §14.7). */
function fingerprintMatches(bytes: Uint8Array, at: number, value: Uint8Array): boolean {
  if (value.length !== 4 || at + 8 !== bytes.length) return false;
  const expected = fingerprintOf(bytes.subarray(0, at));
  return value.every((byte, i) => byte === expected[i]);
}

/** Where an attribute of a message that was decoded begins, header included; undefined if it has none of that type. */
export function findAttribute(bytes: Uint8Array, type: number): number | undefined {
  for (let at = HEADER_SIZE; at < bytes.length; ) {
    const attribute = attributeAt(bytes, at);
    if (!attribute) return undefined;
    if (attribute.type === type) return at;
    at += encodedSize(attribute);
  }
  return undefined;
}

/** The bytes of a message, in a new array. Attributes stay in their order and are not checked. */
export function encodeMessage(message: Message): Uint8Array {
  let size = HEADER_SIZE;
  for (const attribute of message.attributes) size += encodedSize(attribute);
  const bytes = new Uint8Array(size);
  const kind = CLASSES.indexOf(message.class);
  const { method } = message;
  const type =
    ((method & 0xf80) << 2) | ((method & 0x70) << 1) | (method & 0xf) | ((kind & 2) << 7) | ((kind & 1) << 4);
  bytes[0] = type >> 8;
  bytes[1] = type;
  setLength(bytes, size);
  bytes.set(MAGIC_COOKIE, 4);
  bytes.set(message.transactionId, 8);
  let at = HEADER_SIZE;
  for (const attribute of message.attributes) {
    bytes[at] = attribute.type >> 8;
    bytes[at + 1] = attribute.type;
    bytes[at + 2] = attribute.value.length >> 8;
    bytes[at + 3] = attribute.value.length;
    bytes.set(attribute.value, at + ATTRIBUTE_HEADER_SIZE);
    at += encodedSize(attribute);
  }
  return bytes;
}

/** Writes into a header that the message ends at `end`. */
export function setLength(bytes: Uint8Array, end: number): void {
  bytes[2] = (end - HEADER_SIZE) >> 8;
  bytes[3] = end - HEADER_SIZE;
}

function encodedSize(attribute: Attribute): number {
  return ATTRIBUTE_HEADER_SIZE + padded(attribute.value.length);
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

/** The value of the first attribute of a type, or undefined: later ones do not count (RFC 8489 §14). */
export function findValue(message: Message, type: number): Uint8Array | undefined {
  for (const attribute of message.attributes) if (attribute.type === type) return attribute.value;
  return undefined;
}

/** The types in a message that have to be understood (below 0x8000) and are not among `known`, each once. */
export function unknownRequired(message: Message, known: ReadonlySet<number>): number[] {
  const unknown = new Set<number>();
  for (const { type } of message.attributes) if (type < 0x8000 && !known.has(type)) unknown.add(type);
  return [...unknown];
}
