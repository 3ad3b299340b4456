import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { Endpoint } from "../contract/endpoint.ts";
import { formatIp, parseIp, scopeOf } from "./ip.ts";

/**
 * The `{ address, port }` of a stranger's transportInfo in canonical form, or undefined if nothing can
 * be dialled there: no literal, a wildcard or multicast address, a zone where none belongs, a bad port.
 */
export function parseSocketAddress(info: unknown): SocketAddress | undefined {
  if (typeof info !== "object" || info === null || !("address" in info) || !("port" in info))
    return undefined;
  const { address, port } = info;
  if (typeof address !== "string" || typeof port !== "number") return undefined;
  if (!Number.isInteger(port) || port < 1 || port > 65535) return undefined;
  const ip = parseIp(address);
  if (!ip) return undefined;
  const scope = scopeOf(ip);
  if (scope === "unspecified" || scope === "multicast") return undefined;
  if (ip.zone !== undefined && scope !== "link-local") return undefined;
  return { address: formatIp(ip), port };
}

/** The connectionInfo entry of a socket address. */
export function socketEndpoint(transportType: string, address: string, port: number): Endpoint {
  return { transportType, transportInfo: { address, port } };
}

/** A literal without its zone, which means something on one host only. */
export function withoutZone(address: string): string {
  const percent = address.indexOf("%");
  return percent < 0 ? address : address.slice(0, percent);
}
