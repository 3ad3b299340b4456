/** What a server binds and announces: own addresses, and listeningInfo as an indication. Pure. */

import type { Endpoint } from "../contract/endpoint.ts";
import type { NetworkInterface } from "../contract/runtime.ts";
import { systemError } from "./errors.ts";
import { formatIp, type IpAddress, inSubnet, ipScope, parseIp, scopeOf } from "./ip.ts";

/** Chosen: a host with more addresses routes for others, and connectionInfo has to stay small. */
const MAX_ADDRESSES = 32;

/** One group of own addresses to listen on, with one port for all of them where possible. */
export interface ListeningRequest {
  /** What a single socket binds: an own address, `0.0.0.0`, or `::` for every address of both families. */
  readonly bind: string;
  /**
   * The own addresses that `bind` stands for, to be bound one by one (a link-local IPv6 address has its
   * zone for that) and announced (`withoutZone`).
   */
  readonly addresses: readonly string[];
  /** 0: any free port. */
  readonly port: number;
}

/**
 * The own addresses a server on a wildcard address announces: all that are neither loopback nor
 * link-local IPv6; if there are none the link-local ones, with zone; if there are none loopback.
 */
export function ownAddresses(interfaces: readonly NetworkInterface[], family: 0 | 4 | 6 = 0): string[] {
  const tiers: [string[], string[], string[]] = [[], [], []];
  for (const entry of interfaces) {
    if (family !== 0 && entry.family !== `IPv${family}`) continue;
    const tier = entry.internal ? 2 : isLinkLocalV6(entry) ? 1 : 0;
    tiers[tier].push(bindable(entry));
  }
  const best = tiers.find((tier) => tier.length > 0) ?? [];
  return [...new Set(best)].slice(0, MAX_ADDRESSES);
}

/** The zones in which a link-local IPv6 address that came without one may be. */
export function linkLocalZones(interfaces: readonly NetworkInterface[]): string[] {
  const zones = new Set<string>();
  for (const entry of interfaces) if (!entry.internal && isLinkLocalV6(entry)) zones.add(entry.name);
  return [...zones].slice(0, MAX_ADDRESSES);
}

/**
 * What the entries of a listeningInfo ask for. Null and malformed entries are passed over; an address
 * that is not ours stands for all own ones, the port kept. `exclusive` takes every address literally and
 * throws EADDRNOTAVAIL for what is no literal. Without a usable entry: all own addresses on a free port.
 */
export function listeningRequests(
  entries: readonly (Endpoint | null)[],
  interfaces: readonly NetworkInterface[],
  exclusive: boolean,
): ListeningRequest[] {
  const requests = new Map<string, ListeningRequest>();
  for (const entry of entries) {
    const wish = readWish(entry?.transportInfo);
    if (!wish) continue;
    const request = resolveWish(wish, interfaces, exclusive);
    requests.set(`${request.bind} ${request.port}`, request);
  }
  return requests.size > 0 ? [...requests.values()] : [wildcard("::", 0, interfaces)];
}

/**
 * The weaker request to try after binding failed with `code`: a free port if the port is in use or not
 * permitted, all own addresses if the address is gone. Undefined when the failure stands.
 */
export function relaxedRequest(
  request: ListeningRequest,
  code: string | undefined,
  interfaces: readonly NetworkInterface[],
): ListeningRequest | undefined {
  if (code === "EADDRINUSE" || code === "EACCES") {
    return request.port === 0 ? undefined : { ...request, port: 0 };
  }
  if (code !== "EADDRNOTAVAIL" || request.bind === "::") return undefined;
  return wildcard("::", request.port, interfaces);
}

interface Wish {
  readonly address: string | undefined;
  readonly port: number;
}

function readWish(info: unknown): Wish | undefined {
  if (typeof info !== "object" || info === null) return undefined;
  const { address = undefined, port = 0 } = info as { address?: unknown; port?: unknown };
  if (address !== undefined && typeof address !== "string") return undefined;
  const number = typeof port === "string" ? Number(port) : port;
  if (typeof number !== "number" || !Number.isInteger(number) || number < 0 || number > 65535)
    return undefined;
  return { address: address === "" ? undefined : address, port: number };
}

function resolveWish(
  { address, port }: Wish,
  interfaces: readonly NetworkInterface[],
  exclusive: boolean,
): ListeningRequest {
  if (address === undefined) return wildcard("::", port, interfaces);
  const ip = parseIp(address);
  if (!ip && exclusive) throw systemError("EADDRNOTAVAIL", "listen", address, port);
  if (!ip) return wildcard("::", port, interfaces);
  if (scopeOf(ip) === "unspecified") {
    return wildcard(ip.bytes.length === 4 ? "0.0.0.0" : "::", port, interfaces);
  }
  const own = findOwn(ip, interfaces) ?? (exclusive ? formatIp(ip) : undefined);
  if (own === undefined) return wildcard("::", port, interfaces);
  return { bind: own, addresses: [own], port };
}

function wildcard(
  bind: "::" | "0.0.0.0",
  port: number,
  interfaces: readonly NetworkInterface[],
): ListeningRequest {
  return { bind, addresses: ownAddresses(interfaces, bind === "::" ? 0 : 4), port };
}

/** The literal to bind for an address of this host. The whole loopback network belongs to it. */
function findOwn(ip: IpAddress, interfaces: readonly NetworkInterface[]): string | undefined {
  for (const entry of interfaces) {
    const own = parseIp(entry.address);
    if (!own || !inSubnet(ip, own, entry.internal ? entry.prefix : own.bytes.length * 8)) continue;
    return entry.internal || ip.zone !== undefined ? formatIp(ip) : bindable(entry);
  }
  return undefined;
}

function bindable(entry: NetworkInterface): string {
  return isLinkLocalV6(entry) ? `${entry.address}%${entry.name}` : entry.address;
}

function isLinkLocalV6(entry: NetworkInterface): boolean {
  return entry.family === "IPv6" && ipScope(entry.address) === "link-local";
}
