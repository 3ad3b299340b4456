import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Instant, Millis } from "../../../src/contract/clock.ts";
import type { PlannedAttempt } from "../../../src/contract/scheduler.ts";
import { Race } from "../../../src/scheduler/race.ts";

/** A race of attempts that start so long after one another; the first number counts for nothing. */
function raceOf(...startAfter: readonly Millis[]): Race {
  return new Race(startAfter.map((delay) => ({ startAfter: delay }) as PlannedAttempt));
}

/** The attempts that are due by now, taken out. */
function due(race: Race): number[] {
  const indices: number[] = [];
  for (let event = race.pollEvent(); event; event = race.pollEvent()) indices.push(event.index);
  return indices;
}

const T: Instant = 5_000;

describe("a race", () => {
  it("is silent until it is started", () => {
    const race = raceOf(0, 0, 10);
    race.handleTimeout(T);
    assert.deepEqual(due(race), []);
    assert.equal(race.pollTimeout(), undefined);
  });

  it("begins the first attempt at its start, whatever delay that one has", () => {
    for (const delay of [0, 250, Infinity]) {
      const race = raceOf(delay);
      race.start(T);
      assert.deepEqual(due(race), [0]);
      assert.equal(race.pollTimeout(), undefined);
    }
  });

  it("starts once", () => {
    const race = raceOf(0, 250, 250);
    race.start(T);
    race.start(T + 10);
    assert.deepEqual(due(race), [0]);
    assert.equal(race.pollTimeout(), T + 250);
  });

  it("has nothing to do for an empty plan", () => {
    const race = raceOf();
    race.start(T);
    race.attemptFailed(T);
    race.handleTimeout(T + 1_000);
    assert.deepEqual(due(race), []);
    assert.equal(race.pollTimeout(), undefined);
  });

  it("begins all attempts with delay 0 together with the one before them", () => {
    const race = raceOf(0, 0, 0, 100, 0, Infinity, 0);
    race.start(T);
    assert.deepEqual(due(race), [0, 1, 2]);
    assert.equal(race.pollTimeout(), T + 100);
    race.handleTimeout(T + 100);
    assert.deepEqual(due(race), [3, 4]);
    assert.equal(race.pollTimeout(), undefined);
  });

  it("counts each delay from the start before it", () => {
    const race = raceOf(0, 250, 30);
    race.start(T);
    race.handleTimeout(T + 260);
    assert.deepEqual(due(race), [0, 1]);
    assert.equal(race.pollTimeout(), T + 290);
    race.handleTimeout(T + 290);
    assert.deepEqual(due(race), [2]);
    assert.equal(race.pollTimeout(), undefined);
  });

  it("is not changed by a timeout that comes early", () => {
    const race = raceOf(0, 250);
    race.start(T);
    due(race);
    for (const now of [T, T + 1, T + 249.999]) race.handleTimeout(now);
    assert.deepEqual(due(race), []);
    assert.equal(race.pollTimeout(), T + 250);
  });

  it("begins one attempt for one timeout, however late it comes", () => {
    const race = raceOf(0, 250, 250);
    race.start(T);
    due(race);
    race.handleTimeout(T + 10_000);
    assert.deepEqual(due(race), [1]);
    assert.equal(race.pollTimeout(), T + 10_250);
  });

  it("begins the next at once after a failure, and counts the delay after it from there", () => {
    const race = raceOf(0, 250, 250);
    race.start(T);
    race.attemptFailed(T + 7);
    assert.deepEqual(due(race), [0, 1]);
    assert.equal(race.pollTimeout(), T + 257);
    race.handleTimeout(T + 250);
    assert.deepEqual(due(race), [], "the old timeout is void");
  });

  it("begins the whole group of an attempt that a failure brings forward", () => {
    const race = raceOf(0, 250, 0, 250);
    race.start(T);
    race.attemptFailed(T + 7);
    assert.deepEqual(due(race), [0, 1, 2]);
    assert.equal(race.pollTimeout(), T + 257);
  });

  it("waits at an infinite delay until all that were started have failed", () => {
    const race = raceOf(0, 0, 100, Infinity, Infinity);
    race.start(T);
    race.handleTimeout(T + 100);
    assert.deepEqual(due(race), [0, 1, 2]);
    assert.equal(race.pollTimeout(), undefined);
    race.attemptFailed(T + 110);
    race.attemptFailed(T + 120);
    race.handleTimeout(T + 100_000);
    assert.deepEqual(due(race), []);
    race.attemptFailed(T + 100_001);
    assert.deepEqual(due(race), [3]);
    race.attemptFailed(T + 100_002);
    assert.deepEqual(due(race), [4]);
  });

  it("brings finite delays forward behind an infinite one as anywhere", () => {
    const race = raceOf(0, Infinity, 50);
    race.start(T);
    race.attemptFailed(T + 10);
    assert.deepEqual(due(race), [0, 1]);
    assert.equal(race.pollTimeout(), T + 60);
    race.attemptFailed(T + 20);
    assert.deepEqual(due(race), [2]);
  });

  it("has nothing left after its last attempt", () => {
    const race = raceOf(0, 250);
    race.start(T);
    race.attemptFailed(T + 1);
    race.attemptFailed(T + 2);
    assert.deepEqual(due(race), [0, 1]);
    assert.equal(race.pollTimeout(), undefined);
  });

  it("sends nothing", () => {
    const race = raceOf(0);
    race.start(T);
    assert.equal(race.pollTransmit(), undefined);
  });
});
