import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NatBehaviour } from "../../../src/nat/behaviour.ts";
import { Planner, ranking, TRICKS } from "../../../src/nat/planner.ts";
import { lowTtl } from "../../../src/nat/tricks/low-ttl.ts";

const EASY: NatBehaviour = { mapping: "endpoint-independent" };
const STRICT: NatBehaviour = { ...EASY, filtering: "address-and-port-dependent" };
const HARD: NatBehaviour = { mapping: "dependent", ports: "random" };
const STEPS: NatBehaviour = { mapping: "dependent", ports: 1 };
const KEPT: NatBehaviour = { mapping: "dependent", ports: "preserving" };

const names = (local: NatBehaviour, remote: NatBehaviour): string[] =>
  ranking(TRICKS, local, remote).map(({ trick }) => trick.name);

describe("the tricks for a pair, best first", () => {
  for (const [fact, local, remote, expected] of [
    ["of whom nothing is known", {}, {}, ["simultaneous", "low-ttl"]],
    ["of easy ones", EASY, EASY, ["simultaneous", "low-ttl"]],
    ["of hard ones with random ports", HARD, HARD, ["simultaneous", "low-ttl"]],
    ["whose other side is hard", EASY, HARD, ["simultaneous", "low-ttl", "birthday"]],
    ["whose own side is hard", HARD, {}, ["simultaneous", "low-ttl", "birthday"]],
    ["where the filter is known to want the port", HARD, STRICT, ["simultaneous", "birthday", "low-ttl"]],
    [
      "whose other side has ports in steps",
      EASY,
      STEPS,
      ["prediction", "simultaneous", "low-ttl", "birthday"],
    ],
    ["whose own side keeps fresh ports", KEPT, EASY, ["prediction", "simultaneous", "low-ttl", "birthday"]],
    ["whose own side has ports in steps", STEPS, EASY, ["simultaneous", "low-ttl", "birthday"]],
  ] as const) {
    test(fact, () => assert.deepEqual(names(local, remote), expected));
  }

  test("both sides agree on the birthday", () => {
    const all = [{}, EASY, STRICT, HARD, STEPS, KEPT];
    for (const one of all) {
      for (const other of all) {
        const has = (a: NatBehaviour, b: NatBehaviour): boolean => names(a, b).includes("birthday");
        assert.equal(has(one, other), has(other, one));
      }
    }
  });
});

/** What starts when, from 0 on, as long as anything does. */
function starts(planner: Planner, local: NatBehaviour, remote: NatBehaviour): [string, number][] {
  const started: [string, number][] = [];
  for (let now = 0; ; ) {
    for (let trick = planner.take(local, remote, now); trick; trick = planner.take(local, remote, now)) {
      started.push([trick.name, now]);
    }
    const next = planner.next(local, remote);
    if (next === undefined) return started;
    now = Math.max(now, next);
  }
}

test("a trick joins in after the patience of the one before", () => {
  assert.deepEqual(starts(new Planner(TRICKS), EASY, HARD), [
    ["simultaneous", 0],
    ["low-ttl", 0],
    ["birthday", lowTtl.patience],
  ]);
});

test("a better one that makes sense only later starts at once", () => {
  const planner = new Planner(TRICKS);
  assert.deepEqual(starts(planner, EASY, {}), [
    ["simultaneous", 0],
    ["low-ttl", 0],
  ]);
  assert.equal(planner.take(EASY, STEPS, 10)?.name, "prediction");
  assert.equal(planner.take(EASY, STEPS, 10), undefined);
  assert.equal(planner.take(EASY, STEPS, lowTtl.patience)?.name, "birthday");
  assert.equal(planner.next(EASY, STEPS), undefined);
});
