import { formatIp, type IpAddress, type IpScope, inSubnet, ipScope, parseIp } from "../../../src/base/ip.ts";

/** What an IP literal says. */
export interface Address {
  /** Canonical, without zone. */
  readonly text: string;
  readonly zone: string | undefined;
  readonly ip: IpAddress;
  readonly family: 4 | 6;
  readonly scope: IpScope;
  /** `0.0.0.0` or `::`. */
  readonly wildcard: boolean;
  /** IPv6 that needs a zone. */
  readonly zoned: boolean;
}

/** An address and the network it is in. */
export interface Subnet {
  readonly address: Address;
  readonly prefix: number;
}

/** Literals read before; a simulation asks for the same few with every packet. */
const known = new Map<string, Address | undefined>();

/** Chosen: more literals than a test has, and little memory. */
const MAX_KNOWN = 10_000;

/** Reads a literal; undefined if it is none. */
export function readAddress(literal: string): Address | undefined {
  const before = known.get(literal);
  if (before || known.has(literal)) return before;
  if (known.size >= MAX_KNOWN) known.clear();
  const address = parse(literal);
  known.set(literal, address);
  return address;
}

function parse(literal: string): Address | undefined {
  const parsed = parseIp(literal);
  if (!parsed) return undefined;
  const ip = { bytes: parsed.bytes };
  const text = formatIp(ip);
  const scope = ipScope(text);
  const family = ip.bytes.length === 4 ? 4 : 6;
  const zoned = family === 6 && scope === "link-local";
  return { text, zone: parsed.zone, ip, family, scope, wildcard: scope === "unspecified", zoned };
}

/** Reads a literal that a test or the simulation itself wrote. */
export function knownAddress(literal: string): Address {
  const address = readAddress(literal);
  if (!address) throw new RangeError(`not an address: ${literal}`);
  return address;
}

/** Reads `192.168.1.2/24`; without a length it is /24 or /64. */
export function parseSubnet(text: string): Subnet {
  const [literal = "", length] = text.split("/");
  const address = knownAddress(literal);
  if (address.zone !== undefined) throw new RangeError(`a zone does not belong here: ${text}`);
  const prefix = length === undefined ? { 4: 24, 6: 64 }[address.family] : Number(length);
  if (!(prefix >= 0 && prefix <= address.ip.bytes.length * 8)) throw new RangeError(`not a prefix: ${text}`);
  return { address, prefix };
}

/** Whether an address lies in a network. */
export function contains(subnet: Subnet, address: Address): boolean {
  return inSubnet(address.ip, subnet.address.ip, subnet.prefix);
}
