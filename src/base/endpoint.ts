import type { Endpoint } from "../contract/endpoint.ts";
import { type IpScope, ipFamily, ipScope } from "./ip.ts";

/** How far the endpoint's address literal reaches; undefined where the entry names no address. */
export function endpointScope(endpoint: Endpoint): IpScope | undefined {
  const { address } = endpoint.transportInfo;
  return typeof address === "string" && ipFamily(address) !== 0 ? ipScope(address) : undefined;
}

/** Whether the endpoint's address literal is one of this host or its LAN. */
export function isNear(endpoint: Endpoint): boolean {
  const scope = endpointScope(endpoint);
  return scope === "loopback" || scope === "link-local" || scope === "private";
}

/** 4 or 6 by the endpoint's address literal, else 0. */
export function endpointFamily(endpoint: Endpoint): 0 | 4 | 6 {
  const { address } = endpoint.transportInfo;
  return typeof address === "string" ? ipFamily(address) : 0;
}

/**
 * How people read an endpoint: `tcp 192.168.1.30:61564`, `websocket wss://example.org/1tp`, or the transport's word alone.
 * Nothing a stranger wrote breaks a line or steers a terminal.
 */
export function formatEndpoint({ transportType, transportInfo }: Endpoint): string {
  const { address, port, url } = transportInfo;
  const word = plainText(transportType);
  if (typeof url === "string" && URL.canParse(url)) return `${word} ${new URL(url).href}`;
  if (typeof address !== "string" || typeof port !== "number") return word;
  const host = plainText(address);
  return `${word} ${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** A stranger's text in one line of plain letters. */
export function plainText(text: string): string {
  return text.replace(/[^ -~]/g, "?");
}
