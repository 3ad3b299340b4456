import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Candidate, PlannedAttempt, Scheduler } from "../../src/contract/scheduler.ts";
import { Dialling, nameOf } from "./dialling.ts";
import { hang, open, refuse } from "./outcomes.ts";

/** A scheduler that is one function, as an application would write it. */
function schedulerOf(plan: (candidates: readonly Candidate[]) => unknown): Scheduler {
  return { plan: plan as Scheduler["plan"] };
}

const names = (candidates: readonly Candidate[]) => candidates.map(({ endpoint }) => nameOf(endpoint));

describe("an own scheduler", () => {
  it("is asked once for each dial, with the candidates cheapest first", async () => {
    const asked: string[][] = [];
    const scheduler = schedulerOf((candidates) => {
      asked.push(names(candidates));
      return candidates.map((candidate) => ({ candidate, startAfter: 0 }));
    });
    const script = { a: refuse(1), "8.8.8.8": refuse(1), "::1": refuse(1) };
    const dial = await new Dialling(script, { scheduler }).dial(10);
    await dial.dial(10);
    const sorted = ["::1", "8.8.8.8", "a"];
    assert.deepEqual(asked, [sorted, sorted]);
  });

  it("decides order, delays and what is left out", async () => {
    const scheduler = schedulerOf(([a, b, , d]) => [
      { candidate: d!, startAfter: 99 },
      { candidate: a!, startAfter: 7 },
      { candidate: b!, startAfter: Infinity },
    ]);
    const dial = await new Dialling(
      { a: refuse(20), b: open(5), c: open(0), d: refuse(10) },
      { scheduler },
    ).dial();
    assert.deepEqual(dial.starts, ["d@0", "a@7", "b@27"]);
    assert.deepEqual(dial.report, ["d failed 0-10", "a failed 7-27", "b won 27-32"]);
    dial.assertTidy("b");
  });

  it("may mix delays: a group, a pause, another group", async () => {
    const delays = [0, 0, 100, 0, Infinity, 0.5];
    const scheduler = schedulerOf((all) =>
      all.map((candidate, i) => ({ candidate, startAfter: delays[i]! })),
    );
    const script = { a: hang, b: hang, c: hang, d: hang, e: hang, f: hang };
    const dial = await new Dialling(script, { scheduler }).dial();
    assert.deepEqual(dial.starts, ["a@0", "b@0", "c@100", "d@100", "e@5100", "f@5100.5"]);
    dial.assertTidy();
  });

  it("may keep and reorder the array it is given", async () => {
    const scheduler = schedulerOf((given) => {
      const candidates = given as Candidate[];
      return candidates.reverse().map((candidate) => ({ candidate, startAfter: 0 }));
    });
    const dial = await new Dialling({ a: hang, b: open(0) }, { scheduler }).dial();
    assert.deepEqual(dial.starts, ["b@0", "a@0"]);
    dial.assertTidy("b");
  });

  it("may change its plan afterwards without effect", async () => {
    let plan: PlannedAttempt[] = [];
    const scheduler = schedulerOf((candidates) => {
      plan = candidates.map((candidate) => ({ candidate, startAfter: 10 }));
      return plan;
    });
    const dial = new Dialling({ a: hang, b: open(0) }, { scheduler });
    dial.socket.connect(dial.info);
    plan.length = 0;
    await dial.clock.advanceAsync(100);
    assert.deepEqual(dial.starts, ["a@0", "b@10"]);
  });
});

describe("a plan that is none fails the dial with ERR_INVALID_RETURN_VALUE:", () => {
  const plans: Readonly<Record<string, (candidates: readonly Candidate[]) => unknown>> = {
    nothing: () => undefined,
    null: () => null,
    "a promise": async (all) => all.map((candidate) => ({ candidate, startAfter: 0 })),
    "an object": () => ({}),
    "an iterator": (all) => new Set(all.map((candidate) => ({ candidate, startAfter: 0 }))),
    "an empty plan": () => [],
    "the candidates themselves": (all) => all,
    "an undefined start": (all) => [{ candidate: all[0], startAfter: 0 }, undefined],
    "a null start": () => [null],
    "a hole": (all) => Object.assign(new Array(2), { 0: { candidate: all[0], startAfter: 0 } }),
    "no delay": (all) => [{ candidate: all[0] }],
    "a negative delay": (all) => [{ candidate: all[0], startAfter: -1 }],
    "a delay that is no number": (all) => [{ candidate: all[0], startAfter: "250" }],
    "a delay of NaN": (all) => [{ candidate: all[0], startAfter: Number.NaN }],
    "no candidate": () => [{ startAfter: 0 }],
    "a copy of a candidate": (all) => [{ candidate: { ...all[0] }, startAfter: 0 }],
    "a candidate twice": (all) => [0, 1].map(() => ({ candidate: all[0], startAfter: 0 })),
  };
  for (const [what, plan] of Object.entries(plans)) {
    it(what, async () => {
      const dial = await new Dialling({ a: open(0), b: open(0) }, { scheduler: schedulerOf(plan) }).dial();
      assert.deepEqual(dial.events, ["error ERR_INVALID_RETURN_VALUE@0", "close after error@0"]);
      assert.equal(dial.error?.name, "TypeError");
      assert.match(
        dial.error.message,
        /^A scheduler's plan\(\) must return at least one \{ candidate, startAfter/,
      );
      assert.deepEqual(dial.starts, []);
      dial.assertTidy();
    });
  }

  it("and one that throws fails it with what it throws", async () => {
    const error = Object.assign(new Error("mine"), { code: "MINE" });
    const scheduler = schedulerOf(() => {
      throw error;
    });
    const dial = await new Dialling({ a: open(0) }, { scheduler }).dial();
    assert.equal(dial.error, error);
    assert.deepEqual(dial.events, ["error MINE@0", "close after error@0"]);
    dial.assertTidy();
  });
});
