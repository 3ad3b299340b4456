import { canonicalIp, ipFamily, ipScope } from "../../src/base/ip.ts";
import { parseSocketAddress } from "../../src/base/socket-address.ts";
import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Json } from "../../src/contract/endpoint.ts";

/*
 * What the two say in a dialog; the dialler asks, the listener answers each question with one signal:
 *
 *   { ask: "server" }            { addresses: […], port }       where a STUN Binding tells the dialler's reflexive address
 *   { ask: "relay", from: […],   { relayed: { address, port } } who has one of those addresses may send there, or connect
 *     over: "tcp" }                                            if it is over TCP; the first one is where a server has
 *                                                              seen the dialler
 *                                { refused: status }            the TURN server's status, 0 for anything else
 */

/** Addresses one dialler may have (chosen: of each kind of network some). */
export const MAX_ADDRESSES = 8;

/** What a dialler asks. */
export type Question =
  | { readonly ask: "server" }
  | { readonly ask: "relay"; readonly from: readonly string[]; readonly over: "udp" | "tcp" };

/** A dialler with those addresses wants a relay that it reaches by UDP or TCP. */
export type RelayQuestion = Extract<Question, { ask: "relay" }>;

/** The question in a signal; undefined if it is none. */
export function readQuestion(body: Json): Question | undefined {
  const { ask, from, over = "udp" } = fieldsOf(body);
  if (ask === "server") return { ask };
  if (ask !== "relay" || (over !== "udp" && over !== "tcp")) return undefined;
  return { ask, from: readAddresses(from), over };
}

/** The server in an answer. */
export interface ServerAnswer {
  readonly addresses: readonly string[];
  readonly port: number;
}

/** What is no such answer names no address. IPv4 comes first, each family once. */
export function readServerAnswer(body: Json): ServerAnswer {
  const { addresses, port } = fieldsOf(body);
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65535)
    return { addresses: [], port: 0 };
  const usable = readAddresses(addresses);
  const each = [4, 6].map((family) => usable.find((address) => ipFamily(address) === family));
  return { addresses: each.filter((address) => address !== undefined), port };
}

/** Whether there is a relay, or why not. */
export type RelayAnswer =
  | { readonly relayed: SocketAddress; readonly refused?: undefined }
  | { readonly refused: number; readonly relayed?: undefined };

/** What is no such answer is a refusal without status. */
export function readRelayAnswer(body: Json): RelayAnswer {
  const { relayed: place, refused } = fieldsOf(body);
  const relayed = parseSocketAddress(place);
  if (relayed) return { relayed };
  const valid = typeof refused === "number" && Number.isInteger(refused) && refused >= 300 && refused < 700;
  return { refused: valid ? refused : 0 };
}

/** The unicast literals in a list, in canonical form and without those beyond the limit. */
function readAddresses(value: unknown): string[] {
  const addresses = new Set<string>();
  for (const text of Array.isArray(value) ? value.slice(0, MAX_ADDRESSES) : []) {
    const address = typeof text === "string" ? canonicalIp(text) : undefined;
    if (address !== undefined && isUsable(address)) addresses.add(address);
  }
  return [...addresses];
}

/** Whether an address can be somebody's, and means the same to everybody. */
export function isUsable(address: string): boolean {
  const scope = ipScope(address);
  return scope !== "unspecified" && scope !== "multicast" && !address.includes("%");
}

function fieldsOf(body: Json): Record<string, unknown> {
  return typeof body === "object" && body !== null ? { ...body } : {};
}
