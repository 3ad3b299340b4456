import type { JsonObject } from "../../contract/endpoint.ts";
import { type NatBehaviour, readBehaviour } from "../behaviour.ts";
import { readCandidates } from "../candidate.ts";
import { type CheckIdentity, readIdentity } from "../check.ts";
import { TCP_CANDIDATE_KINDS, type TcpCandidate } from "./candidate.ts";

/** What is said once in a punch. */
export interface TcpWords {
  /** All candidates have been told. */
  readonly complete?: boolean;
  /** Answer at once: this is how long a signal takes there and back. */
  readonly ask?: boolean;
  readonly answer?: boolean;
  /** Connect now. */
  readonly go?: boolean;
  /** This side has nothing left to try. */
  readonly spent?: boolean;
}

/** What one side of a TCP punch tells the other over the dialog. The first signal has an identity. */
export interface TcpSignal extends TcpWords {
  readonly identity?: CheckIdentity;
  /** Those that were not told before. */
  readonly candidates: readonly TcpCandidate[];
  readonly nat?: NatBehaviour;
}

/** A signal as it was written by the other side, and how much of it made no sense. */
export interface ReadTcpSignal extends TcpSignal {
  readonly malformed: number;
}

const WORDS = ["complete", "ask", "answer", "go", "spent"] as const satisfies readonly (keyof TcpWords)[];

/** As JSON. */
export function writeTcpSignal({ identity, candidates, nat, ...words }: TcpSignal): JsonObject {
  return {
    ...(identity && { user: identity.user, password: identity.password }),
    ...(candidates.length > 0 && {
      candidates: candidates.map(({ kind, address, port }) => ({ kind, address, port })),
    }),
    ...(nat && { nat: { ...nat } }),
    ...words,
  };
}

/** What can be understood of a stranger's signal; undefined if it is none. Never throws. */
export function readTcpSignal(body: unknown): ReadTcpSignal | undefined {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return undefined;
  const { user, password, candidates, nat, ...rest } = body as Record<string, unknown>;
  const identity = readIdentity(user, password);
  if ((user !== undefined || password !== undefined) && !identity) return undefined;
  const words: { -readonly [word in keyof TcpWords]: TcpWords[word] } = {};
  for (const word of WORDS) if (rest[word] === true) words[word] = true;
  return {
    ...(identity && { identity }),
    ...(nat !== undefined && { nat: readBehaviour(nat) }),
    ...words,
    ...readCandidates(candidates, TCP_CANDIDATE_KINDS),
  };
}
