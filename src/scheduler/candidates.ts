import { endpointFamily, endpointScope } from "../base/endpoint.ts";
import type { IpScope } from "../base/ip.ts";
import type { ConnectionInfo, Endpoint } from "../contract/endpoint.ts";
import type { Candidate } from "../contract/scheduler.ts";
import type { Transport } from "../contract/transport.ts";
import type { BlackHoles } from "./black-holes.ts";

/** Added to the cost of a candidate on a path that keeps failing, so that it is tried last. */
const BLACK_HOLE_COST = 1000;

/** Nearer first: an address on this host beats one on the LAN beats one on the Internet. */
const SCOPE_ORDER: readonly (IpScope | undefined)[] = [
  "loopback",
  "private",
  "link-local",
  "public",
  "reserved",
  undefined,
];

/** Every endpoint with every transport that accepts it, cheapest first, then as RFC 6724 would. */
export function findCandidates(
  endpoints: ConnectionInfo,
  transports: readonly Transport[],
  blackHoles: BlackHoles,
): Candidate[] {
  const candidates: Candidate[] = [];
  for (const endpoint of endpoints) {
    for (const transport of transports) {
      if (!transport.accepts(endpoint)) continue;
      const penalty = blackHoles.suspects(transport, endpoint) ? BLACK_HOLE_COST : 0;
      candidates.push({ transport, endpoint, cost: transport.traits.cost + penalty });
    }
  }
  return candidates.length < 2 ? candidates : candidates.sort(compareCandidates);
}

function compareCandidates(a: Candidate, b: Candidate): number {
  return (
    a.cost - b.cost ||
    scopeRank(a.endpoint) - scopeRank(b.endpoint) ||
    endpointFamily(b.endpoint) - endpointFamily(a.endpoint)
  );
}

function scopeRank(endpoint: Endpoint): number {
  const rank = SCOPE_ORDER.indexOf(endpointScope(endpoint));
  return rank < 0 ? SCOPE_ORDER.length : rank;
}
