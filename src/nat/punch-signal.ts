import type { JsonObject } from "../contract/endpoint.ts";
import { type NatBehaviour, readBehaviour } from "./behaviour.ts";
import { CANDIDATE_KINDS, MAX_CANDIDATES, type NatCandidate, readCandidates } from "./candidate.ts";
import { type CheckIdentity, isWord, readIdentity } from "./check.ts";

/** What one side tells the other over the dialog. The first signal has an identity; all else may come at any time. */
export interface PunchSignal {
  /** What checks to this side are signed with. */
  readonly identity?: CheckIdentity;
  /** Those that were not told before. */
  readonly candidates: readonly NatCandidate[];
  readonly nat?: NatBehaviour;
  /** To so many of the other side's candidates, in the order they were told, something has been sent. */
  readonly opened?: number;
  /** The trick by this name has done its part here. */
  readonly ready?: string;
  /** This is about a connection that stands: the password the other side had when it was made. */
  readonly again?: string;
}

/** A signal as it was written by the other side, and how much of it made no sense. */
export interface ReadSignal extends PunchSignal {
  readonly malformed: number;
}

/** As JSON. */
export function writePunchSignal(signal: PunchSignal): JsonObject {
  const { identity, candidates, nat, opened, ready, again } = signal;
  return {
    ...(identity && { user: identity.user, password: identity.password }),
    ...(candidates.length > 0 && {
      candidates: candidates.map(({ kind, address, port }) => ({ kind, address, port })),
    }),
    ...(nat && { nat: { ...nat } }),
    ...(opened !== undefined && { opened }),
    ...(ready !== undefined && { ready }),
    ...(again !== undefined && { again }),
  };
}

/** What can be understood of a stranger's signal; undefined if it is none. Never throws. */
export function readPunchSignal(body: unknown): ReadSignal | undefined {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return undefined;
  const { user, password, candidates, nat, opened, ready, again } = body as Record<string, unknown>;
  const identity = readIdentity(user, password);
  if ((user !== undefined || password !== undefined) && !identity) return undefined;
  return {
    ...(identity && { identity }),
    ...(nat !== undefined && { nat: readBehaviour(nat) }),
    ...(isCount(opened) && { opened }),
    ...(isWord(ready, 1, 32) && { ready }),
    ...(isWord(again, 16, 64) && { again }),
    ...readCandidates(candidates, CANDIDATE_KINDS),
  };
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_CANDIDATES;
}
