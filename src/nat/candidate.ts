import { parseSocketAddress } from "../base/socket-address.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";

/**
 * Where an endpoint may be reached: at an address of its own (`host`), where a server has seen it (`reflexive`), or where it expects its
 * next mapping (`predicted`).
 */
export type CandidateKind = "host" | "reflexive" | "predicted";

/** One address of one side of a punch. */
export interface NatCandidate extends SocketAddress {
  readonly kind: CandidateKind;
}

const KINDS: readonly unknown[] = ["host", "reflexive", "predicted"];

/** A candidate that a stranger wrote, in canonical form; undefined if it is none. */
export function readCandidate(json: unknown): NatCandidate | undefined {
  const address = parseSocketAddress(json);
  if (!address || address.address.includes("%")) return undefined;
  const { kind } = json as { readonly kind?: unknown };
  return KINDS.includes(kind) ? { kind: kind as CandidateKind, ...address } : undefined;
}

/** An address as the key of a table. */
export function addressKey({ address, port }: SocketAddress): string {
  return `${address} ${port}`;
}
