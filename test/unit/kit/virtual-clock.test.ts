import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../kit/virtual-clock.ts";

/** A clock, and a function that arms a timer `after` ms from now which writes a word. */
function setup() {
  const clock = new VirtualClock();
  const start = clock.now();
  const fired: string[] = [];
  const arm = (after: number, word: string) =>
    clock.setTimer(start + after, () => fired.push(`${word}@${clock.now() - start}`));
  return { clock, start, fired, arm };
}

test("timers fire in the order of their instants and see their own instant", () => {
  const { clock, start, fired, arm } = setup();
  arm(30, "c");
  arm(10, "a");
  arm(20.5, "b");
  clock.advance(25);
  assert.deepEqual(fired, ["a@10", "b@20.5"]);
  assert.equal(clock.now(), start + 25);
  clock.advanceTo(start + 30);
  assert.deepEqual(fired, ["a@10", "b@20.5", "c@30"]);
});

test("timers of one instant fire in the order they were armed", () => {
  const { clock, fired, arm } = setup();
  for (const word of ["a", "b", "c", "d"]) arm(5, word);
  clock.advance(5);
  assert.deepEqual(fired, ["a@5", "b@5", "c@5", "d@5"]);
});

test("a timer for the past fires at the next advance, after those already due, never inside setTimer", () => {
  const { clock, fired, arm } = setup();
  arm(0, "now");
  arm(-100, "past");
  assert.deepEqual(fired, []);
  clock.advance(0);
  assert.deepEqual(fired, ["now@0", "past@0"]);
});

test("a timer armed by a timer fires in the same advance if it falls due in it", () => {
  const { clock, fired, arm, start } = setup();
  clock.setTimer(start + 10, () => {
    arm(15, "second");
    arm(50, "late");
  });
  clock.advance(20);
  assert.deepEqual(fired, ["second@15"]);
  assert.equal(clock.nextTimer(), start + 50);
});

test("a cancelled timer does not fire, and cancelling again does nothing", () => {
  const { clock, fired, arm } = setup();
  const first = arm(5, "a");
  arm(5, "b");
  first.cancel();
  first.cancel();
  assert.equal(clock.armed, 1);
  clock.advance(10);
  assert.deepEqual(fired, ["b@5"]);
  first.cancel();
  assert.equal(clock.armed, 0);
  assert.equal(clock.referenced, 0);
});

test("thousands of cancelled timers are forgotten and the others still fire", () => {
  const { clock, fired, arm } = setup();
  for (let i = 0; i < 5000; i++) {
    const timer = arm(1 + (i % 7), `t${i}`);
    if (i % 1000 !== 0) timer.cancel();
    assert.equal(clock.armed, Math.floor(i / 1000) + 1);
  }
  clock.advance(10);
  assert.deepEqual(fired.map((entry) => entry.split("@")[0]).sort(), [
    "t0",
    "t1000",
    "t2000",
    "t3000",
    "t4000",
  ]);
});

test("runUntilIdle ends when only unref'd timers are left", () => {
  const { clock, start, fired, arm } = setup();
  arm(10, "a");
  const keepAlive = arm(20, "b");
  keepAlive.unref();
  keepAlive.unref();
  arm(30, "c").unref();
  clock.runUntilIdle();
  assert.deepEqual(fired, ["a@10"]);
  assert.equal(clock.now(), start + 10);
  keepAlive.ref();
  keepAlive.ref();
  assert.equal(clock.referenced, 1);
  clock.runUntilIdle();
  assert.deepEqual(fired, ["a@10", "b@20"]);
  assert.equal(clock.armed, 1);
});

test("runUntilIdle throws when timers go on past its limit", () => {
  const { clock } = setup();
  const tick = () => {
    clock.setTimer(clock.now() + 1, tick);
  };
  tick();
  assert.throws(() => clock.runUntilIdle(100), /not idle after 100 ms/);
});

test("the clock refuses to go back, to be moved by a timer, and timers for NaN", () => {
  const { clock, start } = setup();
  assert.throws(() => clock.advanceTo(start - 1), RangeError);
  assert.throws(() => clock.advance(Number.NaN), RangeError);
  assert.throws(() => clock.setTimer(Number.NaN, () => {}), RangeError);
  clock.setTimer(start, () => clock.advance(1));
  assert.throws(() => clock.advance(1), /must not move the clock/);
});

test("a timer that throws leaves the clock usable", () => {
  const { clock, fired, arm, start } = setup();
  clock.setTimer(start + 1, () => {
    throw new Error("mine");
  });
  arm(2, "a");
  assert.throws(() => clock.advance(5), /mine/);
  assert.equal(clock.now(), start + 1);
  clock.advance(1);
  assert.deepEqual(fired, ["a@2"]);
});

test("the wall clock follows the monotonic one and can jump alone", () => {
  const { clock, start } = setup();
  const wall = clock.wall();
  clock.advance(500);
  assert.equal(clock.wall(), wall + 500);
  clock.jumpWall(3_600_000);
  assert.equal(clock.wall(), wall + 3_600_500);
  assert.equal(clock.now(), start + 500);
  clock.jumpWall(-4_000_000);
  assert.ok(clock.wall() < wall);
});

/** A sleep as promise-based code writes it. */
function pause(clock: VirtualClock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(clock.now() + ms, resolve);
  });
}

test("run finishes promise-based code in virtual time and gives its result", async () => {
  const { clock, start } = setup();
  const order: string[] = [];
  const worker = async (name: string, ms: number) => {
    for (let i = 0; i < 3; i++) {
      await pause(clock, ms);
      await new Promise((resolve) => process.nextTick(resolve));
      order.push(`${name}@${clock.now() - start}`);
    }
    return name;
  };
  const names = await clock.run(() => Promise.all([worker("slow", 60_000), worker("quick", 25_000)]));
  assert.deepEqual(names, ["slow", "quick"]);
  assert.deepEqual(order, [
    "quick@25000",
    "quick@50000",
    "slow@60000",
    "quick@75000",
    "slow@120000",
    "slow@180000",
  ]);
});

test("run passes the task's own failure on, thrown or rejected", async () => {
  const { clock } = setup();
  const thrown = () => {
    throw new Error("at once");
  };
  await assert.rejects(clock.run(thrown), /at once/);
  const rejected = async () => {
    await pause(clock, 5);
    throw new Error("later");
  };
  await assert.rejects(clock.run(rejected), /later/);
});

test("run rejects when nothing is left that could settle the task", async () => {
  const { clock } = setup();
  await assert.rejects(
    clock.run(() => new Promise(() => {})),
    /pending and will stay so.*no timer is armed/,
  );
});

test("run rejects when the task takes longer than its limit", async () => {
  const { clock } = setup();
  await assert.rejects(
    clock.run(() => pause(clock, 1001), 1000),
    /the next timer is at/,
  );
});

test("advanceAsync lets promises settle between two timers of one instant", async () => {
  const { clock, start } = setup();
  const order: string[] = [];
  void pause(clock, 10).then(() => order.push("then of the first"));
  clock.setTimer(start + 10, () => order.push("second"));
  await clock.advanceAsync(10);
  assert.deepEqual(order, ["then of the first", "second"]);
  await assert.rejects(clock.advanceAsync(-1), RangeError);
});
