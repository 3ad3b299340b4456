import { plainText } from "../base/endpoint.ts";
import { nodeError, OnetpError } from "../base/errors.ts";
import type { ConnectionInfo, JsonObject } from "../contract/endpoint.ts";
import type { Candidate, PlannedAttempt, Scheduler } from "../contract/scheduler.ts";
import type { Transport } from "../contract/transport.ts";
import type { BlackHoles } from "../scheduler/black-holes.ts";
import { findCandidates } from "../scheduler/candidates.ts";
import { type DialPolicy, mayDial } from "./dial-policy.ts";

/** What decides a plan besides the endpoints. */
export interface PlanOptions {
  readonly transports: readonly Transport[];
  readonly scheduler: Scheduler;
  readonly dialPolicy: DialPolicy | undefined;
}

/** Chosen: more cannot be tried within any patience. */
const MAX_ATTEMPTS = 64;

/**
 * Which attempts a dial is to make, by its scheduler.
 * @throws OnetpError `ERR_1TP_NO_TRANSPORT` if there is nothing to try; ERR_INVALID_RETURN_VALUE if the
 * scheduler's plan is none.
 */
export function makePlan(
  connectionInfo: ConnectionInfo,
  options: PlanOptions,
  blackHoles: BlackHoles,
): readonly PlannedAttempt[] {
  const allowed = connectionInfo.filter((endpoint) => mayDial(endpoint, options.dialPolicy));
  const candidates = findCandidates(allowed, options.transports, blackHoles);
  if (candidates.length === 0) {
    throw new OnetpError("ERR_1TP_NO_TRANSPORT", { detail: explain(connectionInfo, options, allowed) });
  }
  const plan = options.scheduler.plan(candidates);
  checkPlan(plan, candidates);
  return plan.slice(0, MAX_ATTEMPTS);
}

function explain(
  connectionInfo: ConnectionInfo,
  { transports }: PlanOptions,
  allowed: ConnectionInfo,
): string {
  const types = [...new Set(connectionInfo.map(({ transportType }) => transportType))].slice(0, 8);
  const ours = transports.map(({ type }) => type);
  const forbidden = connectionInfo.length - allowed.length;
  const denied = forbidden > 0 ? ` (${forbidden} forbidden by the dial policy)` : "";
  const odd = allowed.find(({ transportType }) => ours.includes(transportType));
  const refused = odd ? `; ${odd.transportType} cannot dial ${quote(odd.transportInfo)}` : "";
  const offered = `${connectionInfo.length} of type ${types.join(", ")}${denied}`;
  return `${offered}, for the transports ${ours.join(", ") || "none"}${refused}`;
}

/** A stranger's JSON in short. */
function quote(info: JsonObject): string {
  const text = plainText(JSON.stringify(info));
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}

/** A scheduler is the user's code: a wrong plan says so at once. */
function checkPlan(plan: unknown, candidates: readonly Candidate[]): void {
  const untaken = new Set(candidates);
  const sound =
    Array.isArray(plan) && plan.length > 0 && [...plan].every((start) => isPlanned(start, untaken));
  if (sound) return;
  const expected = "at least one { candidate, startAfter ≥ 0 }, each candidate one of those given, once";
  throw nodeError("ERR_INVALID_RETURN_VALUE", `A scheduler's plan() must return ${expected}`, TypeError);
}

/** Takes the candidate of a sound start from those that are left. */
function isPlanned(start: PlannedAttempt | undefined, untaken: Set<Candidate>): boolean {
  const { candidate, startAfter } = start ?? {};
  return typeof startAfter === "number" && startAfter >= 0 && untaken.delete(candidate!);
}
