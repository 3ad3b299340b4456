import { formatEndpoint } from "../base/endpoint.ts";
import { codeOf } from "../base/errors.ts";
import type { ChannelPath } from "../contract/channel.ts";
import type { Instant, Millis } from "../contract/clock.ts";
import type { Endpoint } from "../contract/endpoint.ts";
import type { Candidate } from "../contract/scheduler.ts";
import type { Phase } from "../contract/transport.ts";
import { aggregate, agreed, combineErrors, type Failure, nameAll } from "./combined-error.ts";

/** What became of an attempt; `aborted` is a loser of the race, or an attempt given up by the caller. */
export type AttemptOutcome = "planned" | "running" | "won" | "failed" | "aborted";

/** One attempt of a dial, on the dial's time line. */
export interface AttemptReport {
  /** The transport's word. */
  readonly transport: string;
  /** The connectionInfo entry. */
  readonly endpoint: Endpoint;
  /** What it was sorted by: the transport's cost, raised where the network swallows such attempts. */
  readonly cost: number;
  /** Ms since the dial began; undefined if the attempt never began. */
  readonly start: Millis | undefined;
  /** Ms since the dial began; undefined while it runs. */
  readonly end: Millis | undefined;
  /** The step it reached. */
  readonly phase: Phase;
  readonly outcome: AttemptOutcome;
  /** Why it failed. */
  readonly error: Error | undefined;
  /** Of an attempt that won: how its bytes go, where the transport has chosen among several ways. */
  readonly path?: ChannelPath | undefined;
}

/** The report of one attempt while it is being written. */
export class AttemptRecord implements AttemptReport {
  readonly transport: string;
  readonly endpoint: Endpoint;
  readonly cost: number;
  start: Millis | undefined;
  end: Millis | undefined;
  phase: Phase;
  outcome: AttemptOutcome = "planned";
  error: Error | undefined;
  path: ChannelPath | undefined;

  constructor({ transport, endpoint, cost }: Candidate) {
    this.transport = transport.type;
    this.endpoint = endpoint;
    this.cost = cost;
    this.phase = transport.traits.signaled ? "signal" : "connect";
  }
}

/** The error of a dial none of whose attempts won. */
export function dialError(attempts: readonly AttemptReport[]): Error {
  return Object.assign(combineErrors("connect", failuresOf(attempts)), addressOf(attempts));
}

/** The error of a dial whose time was up; the attempts that still ran have failed with it. */
export function timeoutError(attempts: readonly AttemptReport[], limit: Millis): Error {
  const failures = failuresOf(attempts);
  const message = `connect ETIMEDOUT: no attempt succeeded within ${limit} ms: ${nameAll(failures)}`;
  const error = new Error(message, { cause: aggregate(failures) });
  return Object.assign(error, { code: "ETIMEDOUT", syscall: "connect" }, addressOf(attempts));
}

function failuresOf(attempts: readonly AttemptReport[]): Failure[] {
  return attempts.flatMap((attempt) =>
    attempt.error ? [{ error: attempt.error, description: describe(attempt) }] : [],
  );
}

/** Address and port, as `net` has them on its errors, if all attempts were to the same one. */
function addressOf(attempts: readonly AttemptReport[]): object {
  const address = agreed(attempts.map(({ endpoint }) => endpoint.transportInfo.address));
  const port = agreed(attempts.map(({ endpoint }) => endpoint.transportInfo.port));
  return {
    ...(typeof address === "string" ? { address } : {}),
    ...(typeof port === "number" ? { port } : {}),
  };
}

function describe({ endpoint, error, phase, start = 0, end = start }: AttemptReport): string {
  const reason = codeOf(error) ?? error?.message;
  return `${formatEndpoint(endpoint)} ${reason} (${phase}, ${Math.round(end - start)} ms)`;
}

/** Ms from the start of a dial, to a microsecond. */
export function sinceStart(now: Instant, began: Instant): Millis {
  return Math.round((now - began) * 1000) / 1000;
}
