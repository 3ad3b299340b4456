/*
 * uTP packets (BEP 29), all fields big endian:
 *
 *  0       4       8               16              24              32
 *  +-------+-------+---------------+---------------+---------------+
 *  | type  | ver 1 | extension     | connection id                 |
 *  +-------+-------+---------------+---------------+---------------+
 *  | timestamp in µs                                               |
 *  +---------------+---------------+---------------+---------------+
 *  | timestamp difference in µs                                    |
 *  +---------------+---------------+---------------+---------------+
 *  | window in bytes                                               |
 *  +---------------+---------------+---------------+---------------+
 *  | sequence number               | acknowledgement number        |
 *  +---------------+---------------+---------------+---------------+
 *
 * then extensions, each `next extension (1) | length (1) | body`, until a next extension of 0, then payload.
 *
 *  1     selective ack: bits for ack + 2, ack + 3, …, least significant first; 4, 8, … bytes, of libtorrent any number
 *  2     metadata of the payload, or 8 bytes of feature bits in another implementation's SYN
 *  0x70  handshake, in a SYN: flags (1) | bytes of the payload that are data (2), the rest is padding;
 *        in another packet before proof: flags (1) | the answering STATE's sequence number (2)
 *  0x71  fragment of a packet too large for the path: offset (2) | length of the whole payload (2)
 *  0x72  path probe: size of this datagram (2); 0x73 answer: size of the datagram that came (2)
 *
 * 0x70 to 0x73 are this library's own. libutp drops a packet whose first extension is above 2, so in a SYN, which
 * may go to anybody, they hide behind an extension 2 of 8 zeros; elsewhere they are only sent to those who know them.
 */

import { EMPTY } from "../base/bytes.ts";

/** The packet types of BEP 29. */
export const DATA = 0;
export const FIN = 1;
export const STATE = 2;
export const RESET = 3;
export const SYN = 4;

/** Bytes of a header. */
export const HEADER_SIZE = 20;
/** What an extension costs besides its body. */
export const EXTENSION_HEADER_SIZE = 2;

/** Extensions, as drawn above. */
export const SELECTIVE_ACK = 1;
export const METADATA = 2;
export const HANDSHAKE = 0x70;
export const FRAGMENT = 0x71;
export const PATH_PROBE = 0x72;
export const PATH_PROBE_ANSWER = 0x73;

/** Bodies of our own extensions in bytes. */
export const HANDSHAKE_SIZE = 3;
export const FRAGMENT_SIZE = 4;
export const PATH_PROBE_SIZE = 2;
/** The feature bits that older libutp put into a SYN. */
export const FEATURE_BITS_SIZE = 8;

/** Handshake flag of an answer: the data of the SYN was taken. */
export const FIRST_FLIGHT_ACCEPTED = 1;
/** Handshake flag of an answer: the dialler has proved its address. */
export const VALIDATED = 2;
/** Handshake flag of a dialler: answer with `VALIDATED`. */
export const CONFIRM_VALIDATION = 4;
/** Handshake flag of a SYN: its extension 2 is metadata of its data. */
export const SYN_METADATA = 8;

const VERSION = 1;

/** Why a datagram is no packet. */
export type PacketDefect = "short" | "version" | "type" | "extension" | "selective-ack";

/** A decoded packet. One object is filled again and again; views into `data` are made on demand. */
export class Packet {
  data: Uint8Array = EMPTY;
  type = 0;
  connectionId = 0;
  timestamp = 0;
  timestampDifference = 0;
  window = 0;
  seq = 0;
  ack = 0;
  payloadStart = 0;
  /** Where each extension's body begins, or 0 if the packet has none. */
  sackStart = 0;
  sackLength = 0;
  metaStart = 0;
  metaLength = 0;
  handshakeStart = 0;
  fragmentStart = 0;
  probeStart = 0;
  probeAnswerStart = 0;

  get payloadLength(): number {
    return this.data.length - this.payloadStart;
  }

  /** A view of the payload. */
  payload(): Uint8Array {
    return this.data.subarray(this.payloadStart);
  }

  /** A copy of the metadata, or undefined. */
  meta(): Uint8Array | undefined {
    if (this.metaStart === 0) return undefined;
    return this.data.slice(this.metaStart, this.metaStart + this.metaLength);
  }

  /** The first byte of the handshake extension. */
  get handshakeFlags(): number {
    return this.handshakeStart === 0 ? 0 : this.data[this.handshakeStart]!;
  }

  /** The number in the handshake extension. */
  get handshakeValue(): number {
    return read16(this.data, this.handshakeStart + 1);
  }
}

/** Whether a datagram can be uTP by its first bytes; what a demultiplexer asks. */
export function looksLikePacket(data: Uint8Array): boolean {
  return data.length >= HEADER_SIZE && (data[0]! & 0x0f) === VERSION && data[0]! >> 4 <= SYN;
}

/** The connection id of a datagram that looks like uTP. */
export function connectionIdOf(data: Uint8Array): number {
  return read16(data, 2);
}

/** Fills `packet` from `data`, which it keeps. Returns what is wrong with it, if anything. */
export function decodePacket(data: Uint8Array, packet: Packet): PacketDefect | undefined {
  if (data.length < HEADER_SIZE) return "short";
  const first = data[0]!;
  if ((first & 0x0f) !== VERSION) return "version";
  if (first >> 4 > SYN) return "type";
  packet.data = data;
  packet.type = first >> 4;
  packet.connectionId = read16(data, 2);
  packet.timestamp = read32(data, 4);
  packet.timestampDifference = read32(data, 8);
  packet.window = read32(data, 12);
  packet.seq = read16(data, 16);
  packet.ack = read16(data, 18);
  packet.payloadStart = HEADER_SIZE;
  packet.sackStart = packet.sackLength = packet.metaStart = packet.metaLength = 0;
  packet.handshakeStart = packet.fragmentStart = packet.probeStart = packet.probeAnswerStart = 0;
  return data[1] === 0 ? undefined : decodeExtensions(data, packet);
}

function decodeExtensions(data: Uint8Array, packet: Packet): PacketDefect | undefined {
  let at = HEADER_SIZE;
  for (let type = data[1]!; type !== 0; ) {
    if (at + EXTENSION_HEADER_SIZE > data.length) return "extension";
    const next = data[at]!;
    const length = data[at + 1]!;
    const start = at + EXTENSION_HEADER_SIZE;
    at = start + length;
    if (at > data.length) return "extension";
    const defect = noteExtension(packet, type, start, length);
    if (defect !== undefined) return defect;
    type = next;
  }
  packet.payloadStart = at;
  return undefined;
}

/** Notes where a known extension is; unknown ones are skipped, ours of another length too. */
function noteExtension(
  packet: Packet,
  type: number,
  start: number,
  length: number,
): PacketDefect | undefined {
  switch (type) {
    case SELECTIVE_ACK:
      if (length === 0) return "selective-ack";
      packet.sackStart = start;
      packet.sackLength = length;
      break;
    case METADATA:
      packet.metaStart = start;
      packet.metaLength = length;
      break;
    case HANDSHAKE:
      if (length === HANDSHAKE_SIZE) packet.handshakeStart = start;
      break;
    case FRAGMENT:
      if (length === FRAGMENT_SIZE) packet.fragmentStart = start;
      break;
    case PATH_PROBE:
      if (length === PATH_PROBE_SIZE) packet.probeStart = start;
      break;
    case PATH_PROBE_ANSWER:
      if (length === PATH_PROBE_SIZE) packet.probeAnswerStart = start;
      break;
  }
  return undefined;
}

/** Writes a header without extensions; `writeExtension` links them in. */
export function writeHeader(
  out: Uint8Array,
  type: number,
  connectionId: number,
  timestamp: number,
  timestampDifference: number,
  window: number,
  seq: number,
  ack: number,
): void {
  out[0] = (type << 4) | VERSION;
  out[1] = 0;
  write16(out, 2, connectionId);
  write32(out, 4, timestamp);
  write32(out, 8, timestampDifference);
  write32(out, 12, window);
  write16(out, 16, seq);
  write16(out, 18, ack);
}

/**
 * Writes the header of an extension at `at` and links it into the chain: `link` is where the type of the next extension
 * stands, 1 for the first one, afterwards the `at` of the one before. Returns where the body belongs.
 */
export function writeExtension(
  out: Uint8Array,
  link: number,
  at: number,
  type: number,
  length: number,
): number {
  out[link] = type;
  out[at] = 0;
  out[at + 1] = length;
  return at + EXTENSION_HEADER_SIZE;
}

/** The 16-bit number at `at`, big endian. */
export function read16(data: Uint8Array, at: number): number {
  return (data[at]! << 8) | data[at + 1]!;
}

/** The 32-bit number at `at`, big endian, unsigned. */
export function read32(data: Uint8Array, at: number): number {
  return ((data[at]! << 24) | (data[at + 1]! << 16) | (data[at + 2]! << 8) | data[at + 3]!) >>> 0;
}

/** Writes a 16-bit number at `at`, big endian. */
export function write16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >> 8;
  out[at + 1] = value;
}

/** Writes a 32-bit number at `at`, big endian. */
export function write32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}
