import { xorAddress } from "../stun/addresses.ts";
import { AttributeKind, opaque, uint32 } from "../stun/attribute.ts";
import { KNOWN_ATTRIBUTES } from "../stun/known-attributes.ts";

/** The methods of TURN (RFC 8656 §17). */
export const ALLOCATE = 0x003;
export const REFRESH = 0x004;
export const SEND_METHOD = 0x006;
export const DATA_METHOD = 0x007;
export const CREATE_PERMISSION = 0x008;
export const CHANNEL_BIND = 0x009;
/** The methods of its TCP allocations that who accepts needs (RFC 6062 §6.1). */
export const CONNECTION_BIND = 0x00b;
export const CONNECTION_ATTEMPT = 0x00c;

/** Two bytes and as many zeros (RFC 8656 §18.1). */
export const CHANNEL_NUMBER = new AttributeKind<number>(0x000c, {
  encode: (number) => Uint8Array.of(number >> 8, number, 0, 0),
  decode: (bytes) => (bytes.length === 4 ? (bytes[0]! << 8) | bytes[1]! : undefined),
});
/** Seconds until the server forgets an allocation (RFC 8656 §18.2). */
export const LIFETIME = uint32(0x000d);
/** The peer that a permission, a channel or a datagram is about (RFC 8656 §18.3). */
export const XOR_PEER_ADDRESS = xorAddress(0x0012);
/** What a datagram carries (RFC 8656 §18.4). */
export const DATA = opaque(0x0013);
/** Where peers send to (RFC 8656 §18.5). */
export const XOR_RELAYED_ADDRESS = xorAddress(0x0016);
/** 4 or 6: the family of the relayed address (RFC 8656 §18.6). */
export const REQUESTED_ADDRESS_FAMILY = new AttributeKind<4 | 6>(0x0017, {
  encode: (family) => Uint8Array.of(family === 4 ? 1 : 2, 0, 0, 0),
  decode: (bytes) => (bytes.length !== 4 ? undefined : bytes[0] === 1 ? 4 : bytes[0] === 2 ? 6 : undefined),
});
/** The IP protocol between server and peers (RFC 8656 §18.8). */
export const REQUESTED_TRANSPORT = new AttributeKind<number>(0x0019, {
  encode: (protocol) => Uint8Array.of(protocol, 0, 0, 0),
  decode: (bytes) => (bytes.length === 4 ? bytes[0] : undefined),
});
/** The numbers of UDP and TCP among the IP protocols. */
export const UDP_PROTOCOL = 17;
export const TCP_PROTOCOL = 6;
/** Which of the connections at the server (RFC 6062 §6.2.1). */
export const CONNECTION_ID = uint32(0x002a);
/** What an ICMP packet said that came in answer to a datagram (RFC 8656 §18.13): 7 bits of type, 9 of code. */
export const ICMP = new AttributeKind<{ readonly type: number; readonly code: number }>(0x8004, {
  encode: ({ type, code }) => Uint8Array.of(0, 0, (type << 1) | (code >> 8), code, 0, 0, 0, 0),
  decode: (bytes) =>
    bytes.length === 8 ? { type: bytes[2]! >> 1, code: ((bytes[2]! & 1) << 8) | bytes[3]! } : undefined,
});

/** The types a client of TURN understands. */
export const KNOWN_TURN_ATTRIBUTES: ReadonlySet<number> = new Set([
  ...KNOWN_ATTRIBUTES,
  CHANNEL_NUMBER.type,
  LIFETIME.type,
  XOR_PEER_ADDRESS.type,
  DATA.type,
  XOR_RELAYED_ADDRESS.type,
  REQUESTED_ADDRESS_FAMILY.type,
  REQUESTED_TRANSPORT.type,
  CONNECTION_ID.type,
  ICMP.type,
]);

/** Errors that mean something to a client of TURN (RFC 8656 §19). */
export const ALLOCATION_MISMATCH = 437;
export const UNSUPPORTED_FAMILY = 440;
