import { valueError } from "../base/argument.ts";
import { formatIp, parseIp } from "../base/ip.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import { AttributeKind } from "./attribute.ts";
import { MAGIC_COOKIE } from "./message.ts";

/*
 * Addresses (RFC 8489 §14.1, §14.2): `0 (1) | family (1) | port (2) | address (4 or 16)`; XOR-… ones have port and
 * address XORed with the magic cookie and, beyond its four bytes, the transaction id.
 */

const FAMILIES = { 1: 4, 2: 16 } as const;
const NO_MASK = new Uint8Array(16);

/** An attribute that holds an address as it is. */
export function plainAddress(type: number): AttributeKind<SocketAddress> {
  return new AttributeKind(type, {
    encode: (value) => encodeAddress(value, NO_MASK),
    decode: (bytes) => decodeAddress(bytes, NO_MASK),
  });
}

/** An attribute that hides an address from NATs which replace addresses in payloads. */
export function xorAddress(type: number): AttributeKind<SocketAddress> {
  return new AttributeKind(type, {
    encode: (value, transactionId) => encodeAddress(value, maskOf(transactionId)),
    decode: (bytes, transactionId) => decodeAddress(bytes, maskOf(transactionId)),
  });
}

function maskOf(transactionId: Uint8Array): Uint8Array {
  const mask = new Uint8Array(16);
  mask.set(MAGIC_COOKIE);
  mask.set(transactionId, 4);
  return mask;
}

function encodeAddress({ address, port }: SocketAddress, mask: Uint8Array): Uint8Array {
  const ip = parseIp(address);
  if (!ip) throw valueError("address", "must be an IP literal", address);
  const bytes = new Uint8Array(4 + ip.bytes.length);
  bytes[1] = ip.bytes.length === 4 ? 1 : 2;
  bytes[2] = (port >> 8) ^ mask[0]!;
  bytes[3] = port ^ mask[1]!;
  for (let i = 0; i < ip.bytes.length; i++) bytes[4 + i] = ip.bytes[i]! ^ mask[i]!;
  return bytes;
}

/** In canonical form: an IPv4-mapped address is IPv4, whatever family it claims. Port 0 is no address. */
function decodeAddress(bytes: Uint8Array, mask: Uint8Array): SocketAddress | undefined {
  const family = bytes[1];
  if ((family !== 1 && family !== 2) || bytes.length !== 4 + FAMILIES[family]) return undefined;
  const port = ((bytes[2]! ^ mask[0]!) << 8) | (bytes[3]! ^ mask[1]!);
  const ip = parseIp(formatIp({ bytes: bytes.slice(4).map((byte, i) => byte ^ mask[i]!) }));
  return port === 0 || !ip ? undefined : { address: formatIp(ip), port };
}

/** Where the server saw the request come from, for servers of RFC 3489 only. */
export const MAPPED_ADDRESS = plainAddress(0x0001);
/** Where the server saw the request come from: the reflexive address (RFC 8489 §14.2). */
export const XOR_MAPPED_ADDRESS = xorAddress(0x0020);
/** The server to ask instead, with error 300 (RFC 8489 §14.15). */
export const ALTERNATE_SERVER = plainAddress(0x8023);
/** Where the server sent the response from (RFC 5780 §7.3). */
export const RESPONSE_ORIGIN = plainAddress(0x802b);
/** The server's other address, differing in IP and port (RFC 5780 §7.4). */
export const OTHER_ADDRESS = plainAddress(0x802c);
