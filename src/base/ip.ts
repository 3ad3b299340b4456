/** IP literals: parse, print, compare and say how far they reach. No name is ever resolved here. */

/** An address as bytes: 4 for IPv4, 16 for IPv6, with the zone of a link-local one. */
export interface IpAddress {
  readonly bytes: Uint8Array;
  readonly zone?: string;
}

/** How far an address reaches. */
export type IpScope =
  | "unspecified"
  | "loopback"
  | "link-local"
  | "private"
  | "public"
  | "multicast"
  | "reserved";

/** Parses a strict literal (no leading zeros, no shorthand of IPv4). IPv4-mapped IPv6 becomes IPv4. */
export function parseIp(text: string): IpAddress | undefined {
  if (text.length > 64) return undefined;
  if (!text.includes(":")) {
    const v4 = parseV4(text);
    return v4 && { bytes: v4 };
  }
  const percent = text.indexOf("%");
  const zone = percent < 0 ? undefined : text.slice(percent + 1);
  if (zone !== undefined && !/^[\w.-]{1,16}$/.test(zone)) return undefined;
  const bytes = parseV6(percent < 0 ? text : text.slice(0, percent));
  if (!bytes) return undefined;
  if (zone !== undefined) return isMapped(bytes) ? undefined : { bytes, zone };
  return { bytes: isMapped(bytes) ? bytes.slice(12) : bytes };
}

function parseV4(text: string): Uint8Array | undefined {
  if (text.length < 7 || text.length > 15) return undefined;
  const bytes = new Uint8Array(4);
  let at = 0;
  for (let part = 0; part < 4; part++) {
    const dot = part < 3 ? text.indexOf(".", at) : text.length;
    const value = parseOctet(text, at, dot);
    if (value < 0) return undefined;
    bytes[part] = value;
    at = dot + 1;
  }
  return bytes;
}

/** The octet between two places of a text, or -1. */
function parseOctet(text: string, start: number, end: number): number {
  if (end <= start || end > start + 3) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = 10 * value + digit;
  }
  const leadingZero = end > start + 1 && text.charCodeAt(start) === 48;
  return leadingZero || value > 255 ? -1 : value;
}

function parseV6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? groups(halves[1]!, true) : [];
  if (!head || !tail) return undefined;
  const missing = 16 - head.length - tail.length;
  // "::" stands for at least one group of zeros.
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** The bytes of groups; the last one may be IPv4 where the address ends (RFC 4291 §2.2). */
function groups(text: string, atEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (atEnd && i === parts.length - 1 && part.includes(".")) {
      const v4 = parseV4(part);
      if (!v4) return undefined;
      bytes.push(...v4);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(part)) return undefined;
      const group = Number.parseInt(part, 16);
      bytes.push(group >> 8, group & 0xff);
    }
  }
  return bytes;
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((byte) => byte === 0);
}

/** The canonical text (RFC 5952), zone included. */
export function formatIp(ip: IpAddress): string {
  if (ip.bytes.length === 4) return ip.bytes.join(".");
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((ip.bytes[i]! << 8) | ip.bytes[i + 1]!);
  const [start, length] = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  const text =
    length < 2 ? hex.join(":") : `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
  return ip.zone === undefined ? text : `${text}%${ip.zone}`;
}

function longestZeros(groups: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  let start = 0;
  for (const [i, group] of groups.entries()) {
    if (group !== 0) start = i + 1;
    else if (i + 1 - start > best[1]) best = [start, i + 1 - start];
  }
  return best;
}

/** The canonical form of a literal, or undefined if it is none. */
export function canonicalIp(text: string): string | undefined {
  const ip = parseIp(text);
  return ip && formatIp(ip);
}

/** 4, 6, or 0 for what is no literal. */
export function ipFamily(text: string): 0 | 4 | 6 {
  const ip = parseIp(text);
  if (!ip) return 0;
  return ip.bytes.length === 4 ? 4 : 6;
}

/** Whether two literals name the same address, zones included. */
export function sameIp(a: string, b: string): boolean {
  return a === b || (canonicalIp(a) ?? a) === (canonicalIp(b) ?? b);
}

/** Whether `ip` lies in the network `prefix`/`bits`. Families do not mix. */
export function inSubnet(ip: IpAddress, prefix: IpAddress, bits: number): boolean {
  if (ip.bytes.length !== prefix.bytes.length) return false;
  for (let i = 0; i * 8 < bits; i++) {
    const mask = bits - i * 8 >= 8 ? 0xff : (0xff << (8 - (bits - i * 8))) & 0xff;
    if (((ip.bytes[i]! ^ prefix.bytes[i]!) & mask) !== 0) return false;
  }
  return true;
}

interface Network {
  readonly prefix: IpAddress;
  readonly bits: number;
  readonly scope: IpScope;
}

function network(cidr: string, scope: IpScope): Network {
  const [prefix = "", bits] = cidr.split("/");
  const ip = parseIp(prefix);
  if (!ip) throw new Error(`not a network: ${cidr}`);
  return { prefix: ip, bits: Number(bits), scope };
}

/** The special-purpose registry of IANA for IPv4 (RFC 6890 and successors), most specific first. */
const V4_NETWORKS: readonly Network[] = [
  network("0.0.0.0/32", "unspecified"),
  network("0.0.0.0/8", "reserved"),
  network("10.0.0.0/8", "private"),
  network("100.64.0.0/10", "private"),
  network("127.0.0.0/8", "loopback"),
  network("169.254.0.0/16", "link-local"),
  network("172.16.0.0/12", "private"),
  network("192.0.0.0/24", "reserved"),
  network("192.0.2.0/24", "reserved"),
  network("192.168.0.0/16", "private"),
  network("198.18.0.0/15", "reserved"),
  network("198.51.100.0/24", "reserved"),
  network("203.0.113.0/24", "reserved"),
  network("224.0.0.0/4", "multicast"),
  network("240.0.0.0/4", "reserved"),
];

/** The same for IPv6. */
const V6_NETWORKS: readonly Network[] = [
  network("::/128", "unspecified"),
  network("::1/128", "loopback"),
  network("::/8", "reserved"),
  network("100::/64", "reserved"),
  network("2001:2::/48", "reserved"),
  network("2001:db8::/32", "reserved"),
  network("3fff::/20", "reserved"),
  network("5f00::/16", "reserved"),
  network("fc00::/7", "private"),
  network("fe80::/10", "link-local"),
  network("fec0::/10", "private"),
  network("ff00::/8", "multicast"),
];

/** How far a literal reaches; what is no literal is `reserved`. Carrier NAT (100.64/10) is private. */
export function ipScope(text: string): IpScope {
  const ip = parseIp(text);
  return ip ? scopeOf(ip) : "reserved";
}

/** Prefixes behind which translators find an IPv4 address, and where it stands: NAT64 (RFC 6052), 6to4 (RFC 3056). */
const EMBEDDINGS = [
  { ...network("64:ff9b::/96", "public"), at: 12 },
  { ...network("2002::/16", "public"), at: 2 },
];

/** How far an address reaches; an embedded IPv4 address decides. */
export function scopeOf(ip: IpAddress): IpScope {
  if (ip.bytes.length === 4) return scopeIn(V4_NETWORKS, ip);
  const embedding = EMBEDDINGS.find(({ prefix, bits }) => inSubnet(ip, prefix, bits));
  if (!embedding) return scopeIn(V6_NETWORKS, ip);
  return scopeIn(V4_NETWORKS, { bytes: ip.bytes.subarray(embedding.at, embedding.at + 4) });
}

/**
 * Whether an address is no nearer to us than the one whose owner has named it: so nobody outside has us send to what only we
 * reach. Our own host may name any.
 */
export function isAsFar(named: string, by: string): boolean {
  const [scope, known] = [ipScope(named), ipScope(by)];
  return scope === "public" || scope === known || known === "loopback";
}

function scopeIn(networks: readonly Network[], ip: IpAddress): IpScope {
  for (let i = 0; i < networks.length; i++) {
    const { prefix, bits, scope } = networks[i]!;
    if (inSubnet(ip, prefix, bits)) return scope;
  }
  return "public";
}
