import { parseSocketAddress } from "../base/socket-address.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";

/**
 * Where an endpoint may be reached: at an address of its own (`host`), where a server has seen it (`reflexive`), where its gateway lets
 * everybody in (`mapped`), or where it expects its next mapping (`predicted`).
 */
export type CandidateKind = "host" | "reflexive" | "mapped" | "predicted";

/** One address of one side of a punch. */
export interface NatCandidate extends SocketAddress {
  readonly kind: CandidateKind;
}

/** All kinds. */
export const CANDIDATE_KINDS: readonly CandidateKind[] = ["host", "reflexive", "mapped", "predicted"];

/** Candidates of one side that count (chosen: a host has few addresses, and each may cost eight datagrams). */
export const MAX_CANDIDATES = 16;

/** The candidates of some kinds in what a stranger wrote, in canonical form, and how many made no sense or were too many. */
export function readCandidates<Kind extends string>(
  json: unknown,
  kinds: readonly Kind[],
): { readonly candidates: readonly (SocketAddress & { readonly kind: Kind })[]; readonly malformed: number } {
  const told: readonly unknown[] = Array.isArray(json) ? json : [];
  const candidates = told
    .slice(0, MAX_CANDIDATES)
    .flatMap((candidate) => readCandidate(candidate, kinds) ?? []);
  return { candidates, malformed: told.length - candidates.length };
}

function readCandidate<Kind extends string>(
  json: unknown,
  kinds: readonly Kind[],
): (SocketAddress & { readonly kind: Kind }) | undefined {
  const address = parseSocketAddress(json);
  if (!address || address.address.includes("%")) return undefined;
  const { kind: word } = json as { readonly kind?: unknown };
  const kind = kinds.find((known) => known === word);
  return kind && { kind, ...address };
}

/** An address as the key of a table. */
export function addressKey({ address, port }: SocketAddress): string {
  return `${address} ${port}`;
}
