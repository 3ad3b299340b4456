import type { SocketAddress } from "../contract/datagram-socket.ts";
import { isStep, type Mapping, type NatBehaviour, type PortOrder } from "./behaviour.ts";

/** Where a server saw one of our sockets. */
export interface Sighting {
  readonly server: SocketAddress;
  /** The socket's own port. */
  readonly local: number;
  readonly mapped: SocketAddress;
}

/**
 * What sightings of one socket, in the order they were asked for, say of the NATs before it. Two servers on different IPs that agree make
 * the mapping endpoint-independent; two ports of one IP that agree say nothing, as the IP may matter (RFC 5780 §4.3).
 */
export function behaviourFrom(sightings: readonly Sighting[]): NatBehaviour {
  const mapping = mappingFrom(sightings);
  const ports = portsFrom(sightings, mapping);
  return { ...(mapping && { mapping }), ...(ports !== undefined && { ports }) };
}

function mappingFrom(sightings: readonly Sighting[]): Mapping | undefined {
  const pairs = sightings.flatMap((one, i) => sightings.slice(0, i).map((other) => ({ one, other })));
  const differing = pairs.filter(({ one, other }) => !isSame(one.mapped, other.mapped));
  const onOneIp = ({ one, other }: (typeof pairs)[number]): boolean =>
    one.server.address === other.server.address;
  if (differing.some(onOneIp)) return "address-and-port-dependent";
  if (differing.length > 0) return pairs.some(onOneIp) ? "address-dependent" : "dependent";
  return pairs.every(onOneIp) ? undefined : "endpoint-independent";
}

function isSame(a: SocketAddress, b: SocketAddress): boolean {
  return a.address === b.address && a.port === b.port;
}

/** Steps show only where each sighting is of a mapping of its own. */
function portsFrom(sightings: readonly Sighting[], mapping: Mapping | undefined): PortOrder | undefined {
  const ports = [...new Set(sightings.map(({ mapped }) => mapped.port))];
  const [first, second] = ports;
  if (first === undefined) return undefined;
  if (sightings.some(({ local, mapped }) => local === mapped.port)) return "preserving";
  if (mapping === "endpoint-independent" || second === undefined) return undefined;
  const step = second - first;
  const steady = ports.every((port, i) => i === 0 || port - ports[i - 1]! === step);
  return steady && isStep(step) ? step : "random";
}
