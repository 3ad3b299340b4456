import assert from "node:assert/strict";
import { test } from "node:test";
import { forEachSeed, seeds } from "../../kit/seeds.ts";

test("without environment the range is fixed", () => {
  assert.deepEqual(seeds(3, {}), [1, 2, 3]);
  assert.deepEqual(seeds(3, { SEED: "", SEEDS: "" }), [1, 2, 3]);
});

test("SEED runs that seed alone, SEEDS that many", () => {
  assert.deepEqual(seeds(3, { SEED: "42" }), [42]);
  assert.deepEqual(seeds(3, { SEED: "0", SEEDS: "9" }), [0]);
  assert.deepEqual(seeds(3, { SEEDS: "5" }), [1, 2, 3, 4, 5]);
});

test("a SEED that is no whole number and SEEDS of none are mistakes", () => {
  for (const SEED of ["x", "-1", "1.5", "1e99"]) assert.throws(() => seeds(3, { SEED }), /SEED must be/);
  assert.throws(() => seeds(3, { SEEDS: "0" }), /SEEDS must be/);
});

test("every seed runs, one after the other", async () => {
  const ran: number[] = [];
  const body = async (seed: number) => {
    await Promise.resolve();
    ran.push(seed);
  };
  await forEachSeed(3, body, {});
  assert.deepEqual(ran, [1, 2, 3]);
});

test("a failure names its seed, how to repeat it, and tells the trace of that seed alone", async () => {
  const broken = new Error("it broke");
  const failure = await forEachSeed(
    5,
    (seed, trace) => {
      trace.add(seed * 10, `line of ${seed}`);
      if (seed === 4) throw broken;
    },
    {},
  ).catch((error: unknown) => error);
  assert.ok(failure instanceof Error);
  assert.equal(failure.cause, broken);
  assert.match(failure.message, /^seed 4 fails \(repeat with SEED=4\): it broke\n/);
  assert.match(failure.message, /40\.000 {2}line of 4/);
  assert.doesNotMatch(failure.message, /line of 3/);
});

test("a trace that the failure already tells is not told twice", async () => {
  const failing = forEachSeed(
    1,
    (_seed, trace) => {
      trace.add(1, "once");
      throw new Error(`bad\n${trace}`);
    },
    {},
  );
  await assert.rejects(failing, (error: Error) => error.message.split("once").length === 2);
});

test("a rejected promise and a thrown non-error are failures as well", async () => {
  await assert.rejects(
    forEachSeed(1, () => Promise.reject(new Error("no")), {}),
    /seed 1 fails.*no/,
  );
  const throwsText = () => {
    throw "text";
  };
  await assert.rejects(forEachSeed(1, throwsText, {}), /seed 1 fails.*text/);
});
