import assert from "node:assert/strict";
import { test } from "node:test";
import { HostClock } from "../../../kit/network/host-clock.ts";
import { VirtualClock } from "../../../kit/virtual-clock.ts";

function setup() {
  const shared = new VirtualClock();
  const clock = new HostClock(shared);
  const fired: number[] = [];
  const start = clock.now();
  const arm = (after: number) => clock.setTimer(start + after, () => fired.push(clock.now() - start));
  return { shared, clock, start, fired, arm };
}

test("awake, it is the shared clock", () => {
  const { shared, clock, fired, arm } = setup();
  arm(10);
  arm(5).cancel();
  shared.advance(10);
  assert.deepEqual(fired, [10]);
  assert.equal(clock.now(), shared.now());
  assert.equal(clock.wall(), shared.wall());
});

test("asleep, time stands still, the wall clock goes on and timers fire as much later", () => {
  const { shared, clock, start, fired, arm } = setup();
  arm(100);
  arm(300);
  shared.advance(50);
  clock.sleep();
  const wall = clock.wall();
  shared.advance(1000);
  assert.equal(clock.now(), start + 50);
  assert.equal(clock.wall(), wall + 1000);
  assert.deepEqual(fired, []);
  clock.wake();
  shared.advance(49);
  assert.deepEqual(fired, []);
  shared.advance(1);
  assert.deepEqual(fired, [100]);
  shared.advance(200);
  assert.deepEqual(fired, [100, 300]);
});

test("a timer that falls due after a short sleep is not early", () => {
  const { shared, clock, fired, arm } = setup();
  arm(100);
  clock.sleep();
  shared.advance(30);
  clock.wake();
  shared.advance(99);
  assert.deepEqual(fired, []);
  shared.advance(1);
  assert.deepEqual(fired, [100]);
});

test("sleeping twice or waking awake changes nothing", () => {
  const { shared, clock, start } = setup();
  clock.wake();
  clock.sleep();
  shared.advance(10);
  clock.sleep();
  shared.advance(10);
  clock.wake();
  clock.wake();
  assert.equal(clock.now(), start);
});

test("a timer can be cancelled during sleep, before and after it would have fired", () => {
  const { shared, clock, fired, arm } = setup();
  const overslept = arm(10);
  const coming = arm(100);
  clock.sleep();
  shared.advance(50);
  overslept.cancel();
  coming.cancel();
  clock.wake();
  shared.advance(1000);
  assert.deepEqual(fired, []);
  assert.equal(shared.armed, 0);
});

test("ref and unref last through sleep", () => {
  const { shared, clock, arm } = setup();
  const timer = arm(10);
  timer.unref();
  clock.sleep();
  shared.advance(20);
  timer.ref();
  timer.unref();
  clock.wake();
  assert.equal(shared.armed, 1);
  assert.equal(shared.referenced, 0);
  timer.ref();
  assert.equal(shared.referenced, 1);
});

test("a timer never sees an instant before its own, whatever the rounding", () => {
  const { shared, clock, start } = setup();
  clock.sleep();
  shared.advance(1e9 + 1 / 3);
  clock.wake();
  let fired = 0;
  for (let i = 1; i <= 1000; i++) {
    const at = start + i / 7;
    clock.setTimer(at, () => {
      assert.ok(clock.now() >= at);
      fired++;
    });
  }
  shared.advance(200);
  assert.equal(fired, 1000);
});
