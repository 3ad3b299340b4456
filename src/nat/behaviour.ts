/** What on the remote endpoint a NAT's mapping or filtering depends (RFC 4787 §4.1, §5). */
export type Dependence = "endpoint-independent" | "address-dependent" | "address-and-port-dependent";

/** A mapping that differs from one remote endpoint to the next, without word on whether the port alone matters. */
export type Mapping = Dependence | "dependent";

/**
 * Which outer port a new mapping gets: the inner one, any, or the one before it plus so many.
 */
export type PortOrder = "preserving" | "random" | number;

/** What is known of the NATs in front of a host. Every field may be unknown; without a NAT the first two are endpoint-independent. */
export interface NatBehaviour {
  readonly mapping?: Mapping;
  readonly filtering?: Dependence;
  readonly ports?: PortOrder;
  /** Inner hosts reach each other by their outer endpoints (RFC 4787 §6). */
  readonly hairpin?: boolean;
}

/** Nothing is known. */
export const UNKNOWN: NatBehaviour = {};

const DEPENDENCES: readonly unknown[] = [
  "endpoint-independent",
  "address-dependent",
  "address-and-port-dependent",
];
/** A longer step is no pattern (chosen: NATs with one use 1 or 2). */
export const MAX_STEP = 16;

/** What a peer says of its NATs; fields that make no sense are unknown. */
export function readBehaviour(json: unknown): NatBehaviour {
  if (typeof json !== "object" || json === null) return UNKNOWN;
  const { mapping, filtering, ports, hairpin } = json as Record<string, unknown>;
  return {
    ...(DEPENDENCES.includes(mapping) || mapping === "dependent" ? { mapping: mapping as Mapping } : {}),
    ...(DEPENDENCES.includes(filtering) ? { filtering: filtering as Dependence } : {}),
    ...(isPortOrder(ports) ? { ports } : {}),
    ...(typeof hairpin === "boolean" ? { hairpin } : {}),
  };
}

function isPortOrder(value: unknown): value is PortOrder {
  if (typeof value === "string") return value === "preserving" || value === "random";
  return isStep(value);
}

/** Whether the outer ports of two mappings made one after the other may be neighbours. */
export function isStep(value: unknown): value is number {
  return Number.isInteger(value) && value !== 0 && Math.abs(value as number) <= MAX_STEP;
}

/** Whether each remote endpoint sees another outer endpoint; undefined if unknown. */
export function isHard({ mapping }: NatBehaviour): boolean | undefined {
  return mapping === undefined ? undefined : mapping !== "endpoint-independent";
}

/** Whether each remote endpoint sees another outer endpoint, but one that can be guessed. */
export function goesInSteps(nat: NatBehaviour): boolean {
  return isHard(nat) === true && typeof nat.ports === "number";
}

/** Whether nobody knows beforehand from which port a peer sees such a side. */
export function isUnforeseeable(nat: NatBehaviour): boolean {
  return isHard(nat) === true && !goesInSteps(nat);
}

/** What stands between two such sides, if something is known to, in words. */
export function obstacleBetween(local: NatBehaviour, remote: NatBehaviour): string | undefined {
  const [here, there] = [isHard(local), isHard(remote)];
  if (here && there) return "both sides' NATs give every peer another port, which nobody knows beforehand";
  if (here === undefined && there === undefined) return "no two STUN servers say what the NATs do";
  return undefined;
}

/** In words, for reports: `mapping dependent, filtering unknown, ports random`. */
export function describeBehaviour({ mapping, filtering, ports }: NatBehaviour): string {
  const order = typeof ports === "number" ? `in steps of ${ports}` : (ports ?? "unknown");
  return `mapping ${mapping ?? "unknown"}, filtering ${filtering ?? "unknown"}, ports ${order}`;
}
