import { parseSocketAddress } from "../../src/base/socket-address.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";

/** The longest URL that is dialled (chosen: browsers stop at 2,048). */
const MAX_URL = 2_048;

/**
 * The ws or wss URL of a stranger's transportInfo; http and https mean these. Undefined if nothing can be dialled there:
 * no such URL, one that carries a password or a fragment, an address nobody can have.
 */
export function parseWebSocketUrl(info: unknown): URL | undefined {
  if (typeof info !== "object" || info === null || !("url" in info)) return undefined;
  const { url } = info;
  if (typeof url !== "string" || url.length > MAX_URL || !URL.canParse(url)) return undefined;
  const scheme = /^(?:http|ws)(s?):\/\//i.exec(url);
  if (!scheme) return undefined;
  const parsed = new URL(`ws${scheme[1]!.toLowerCase()}://${url.slice(scheme[0].length)}`);
  if (parsed.username || parsed.password || parsed.hash || parsed.hostname === "") return undefined;
  if (portOf(parsed) === 0) return undefined;
  const address = parsed.hostname.replace(/^\[(.*)\]$/, "$1");
  const literal = /^[\d.]+$/.test(address) || address.includes(":");
  return literal && !parseSocketAddress({ address, port: portOf(parsed) }) ? undefined : parsed;
}

/** The port a URL names or means. */
export function portOf({ port, protocol }: URL): number {
  return port === "" ? (protocol === "wss:" ? 443 : 80) : Number(port);
}

/** The entry of a URL. */
export function urlEndpoint(url: string): Endpoint {
  return { transportType: "websocket", transportInfo: { url } };
}

/** The URL of an address literal. */
export function urlOf(secure: boolean, address: string, port: number, path: string): string {
  const host = address.includes(":") ? `[${address}]` : address;
  return `${secure ? "wss" : "ws"}://${host}:${port}${path}`;
}
