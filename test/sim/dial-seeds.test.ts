import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, nodeError } from "../../src/base/errors.ts";
import { type SeededRandom, seededRandom } from "../../src/base/random.ts";
import type { Millis } from "../../src/contract/clock.ts";
import type { Candidate, PlannedAttempt, Scheduler } from "../../src/contract/scheduler.ts";
import { type AttemptReport, sinceStart } from "../../src/net/report.ts";
import type { Outcome } from "../kit/scripted-transport.ts";
import { forEachSeed } from "../kit/seeds.ts";
import type { Trace } from "../kit/trace.ts";
import { Dialling, nameOf } from "./dialling.ts";
import { type Expected, expectedDial, type Limits } from "./expected-dial.ts";

/** Longer than anything in a run takes. */
const LONG: Millis = 200_000;

function pick<T>(random: SeededRandom, choices: readonly T[]): T {
  return choices[random.integer(choices.length)]!;
}

/** A duration; in runs with ties a round one, so that many things happen in one turn. */
function duration(random: SeededRandom, ties: boolean): Millis {
  return ties ? 10 * random.integer(4) : random.next() * 10 ** random.integer(5);
}

function anyOutcome(random: SeededRandom, ties: boolean): Outcome {
  const does = pick(random, ["open", "open", "fail", "fail", "fail", "hang", "throw"] as const);
  const code = pick(random, ["ECONNREFUSED", "ECONNREFUSED", "EHOSTUNREACH", undefined]);
  const error = code === undefined ? pick(random, ["text", undefined]) : nodeError(code, "scripted");
  return { does, error, after: duration(random, ties), heedless: random.chance(0.3) };
}

/** Any plan: of the candidates as they are, or of some of them in another order. */
function anyPlan(random: SeededRandom, candidates: readonly Candidate[], ties: boolean): PlannedAttempt[] {
  const uniform = pick(random, [0, 250, Infinity, undefined]);
  if (uniform !== undefined) return candidates.map((candidate) => ({ candidate, startAfter: uniform }));
  const left = [...candidates];
  return Array.from({ length: 1 + random.integer(left.length) }, () => {
    const [candidate] = left.splice(random.integer(left.length), 1) as [Candidate];
    return { candidate, startAfter: pick(random, [0, 0, Infinity, duration(random, ties)]) };
  });
}

interface Run {
  readonly dial: Dialling;
  readonly plan: readonly Expected[];
  readonly limits: Limits;
}

async function play(random: SeededRandom, ties: boolean): Promise<Run> {
  const names = Array.from({ length: 1 + random.integer(8) }, (_, i) => `e${i}`);
  const script = Object.fromEntries(names.map((name) => [name, anyOutcome(random, ties)]));
  const limits = {
    attempt: 5_000,
    dial: (random.chance(0.2) ? duration(random, ties) : 60_000) || Infinity,
    patience: random.chance(0.2) ? duration(random, ties) : Infinity,
  };
  let plan: Expected[] = [];
  const scheduler: Scheduler = {
    plan(candidates) {
      const planned = anyPlan(random, candidates, ties);
      plan = planned.map(({ candidate, startAfter }) => {
        const name = nameOf(candidate.endpoint);
        return { name, outcome: script[name]!, startAfter };
      });
      return planned;
    },
  };
  const dial = new Dialling(script, {
    scheduler,
    connectTimeout: limits.dial === Infinity ? 0 : limits.dial,
  });
  if (limits.patience < Infinity) {
    dial.clock.setTimer(dial.start + limits.patience, () => dial.socket.destroy());
  }
  await dial.dial(LONG);
  return { dial, plan, limits };
}

/** What holds for every dial, whatever happens at once. */
function checkInvariants({ dial, plan, limits }: Run): void {
  const { report, destroyed } = dial.socket;
  const [winner, ...more] = report.filter(({ outcome }) => outcome === "won");
  assert.deepEqual(more, [], "one attempt wins at most");
  dial.assertTidy(winner && !destroyed ? nameOf(winner.endpoint) : undefined);

  const kinds = dial.events.map((event) => event.split(/[ @]/)[0]);
  const stories = winner ? ["connect", "connect,close", "close"] : ["error,close", "close"];
  assert.ok(stories.includes(`${kinds}`), "the events tell one of the stories that can be");
  assert.equal(kinds.includes("error"), dial.error !== undefined);

  const names = (attempts: readonly AttemptReport[]) => attempts.map(({ endpoint }) => nameOf(endpoint));
  assert.deepEqual(
    names(report),
    plan.map(({ name }) => name),
    "the report is in the order of the plan",
  );
  const begun = report.filter(({ start }) => start !== undefined);
  assert.deepEqual(names(begun), names(report.slice(0, begun.length)), "no attempt was passed over");
  assert.deepEqual(
    dial.starts,
    begun.map(({ endpoint, start }) => `${nameOf(endpoint)}@${start}`),
    "what was dialled is what the report says",
  );
  const end = Math.max(...begun.map((attempt) => attempt.end!));
  assert.ok(end <= sinceStart(limits.dial, 0), "the dial keeps within its time");
  for (const attempt of begun) checkAttempt(attempt, end, limits);
}

function checkAttempt({ start, end, outcome, error }: AttemptReport, dialEnd: Millis, limits: Limits): void {
  assert.ok(end! >= start! && end! - start! <= limits.attempt + 0.001, "the attempt keeps within its time");
  assert.equal(error instanceof Error, outcome === "failed");
  if (outcome === "aborted" || outcome === "won")
    assert.equal(end, dialEnd, "the dial ends when it is decided");
}

/** The one error of a dial that failed says what those of its attempts say. */
function checkError({ dial, limits }: Run): void {
  if (!dial.error) return;
  const errors = dial.socket.report.flatMap(({ error }) => error ?? []);
  assert.deepEqual((dial.error.cause as AggregateError).errors, errors);
  const codes = new Set(errors.map(codeOf));
  const common = codes.size === 1 ? [...codes][0] : undefined;
  const timeIsUp = dial.error.message.includes(`within ${limits.dial} ms`);
  assert.equal(dial.error.code, timeIsUp ? "ETIMEDOUT" : (common ?? "ERR_1TP_ALL_ATTEMPTS_FAILED"));
}

function tell(trace: Trace, { dial, plan, limits }: Run): void {
  for (const { name, outcome, startAfter } of plan) {
    const { does, after, heedless } = outcome;
    trace.add(
      0,
      `${name}: ${startAfter} ms after the one before; ${does} after ${after}, heedless ${heedless}`,
    );
  }
  trace.add(0, `the dial may take ${limits.dial} ms, the application waits for ${limits.patience} ms`);
  trace.add(dial.elapsed, `${dial.events}; ${dial.report}`);
}

test("any dial ends as it should and leaves nothing behind", () =>
  forEachSeed(500, async (seed, trace) => {
    const random = seededRandom(seed);
    const ties = random.chance(0.4);
    const run = await play(random, ties);
    tell(trace, run);
    checkInvariants(run);
    checkError(run);
    if (!ties) assert.deepEqual(run.dial.report, expectedDial(run.plan, run.limits));
  }));
