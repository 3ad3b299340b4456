import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IdleTimer } from "../../../src/net/idle-timer.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";

/** An idle timer and the times at which it fired, in ms since the start. */
function setup() {
  const clock = new VirtualClock();
  const start = clock.now();
  const fired: number[] = [];
  const timer = new IdleTimer(clock, () => fired.push(clock.now() - start));
  return { clock, timer, fired };
}

describe("an idle timer", () => {
  it("does nothing until it is set", () => {
    const { clock, timer } = setup();
    timer.touch();
    timer.clear();
    assert.equal(clock.armed, 0);
  });

  it("fires once after so long without a touch", () => {
    const { clock, timer, fired } = setup();
    timer.set(100);
    clock.advance(99);
    assert.deepEqual(fired, []);
    clock.advance(1_000);
    assert.deepEqual(fired, [100]);
    assert.equal(clock.armed, 0);
  });

  it("counts from the last touch", () => {
    const { clock, timer, fired } = setup();
    timer.set(100);
    for (let i = 0; i < 7; i++) {
      clock.advance(60);
      timer.touch();
    }
    clock.advance(1_000);
    assert.deepEqual(fired, [520]);
  });

  it("begins anew with a touch after it has fired", () => {
    const { clock, timer, fired } = setup();
    timer.set(100);
    clock.advance(250);
    timer.touch();
    clock.advance(250);
    assert.deepEqual(fired, [100, 350]);
  });

  it("counts from when it is set anew, shorter or longer", () => {
    const { clock, timer, fired } = setup();
    timer.set(100);
    clock.advance(90);
    timer.set(50);
    clock.advance(49);
    assert.deepEqual(fired, []);
    clock.advance(11);
    timer.set(300);
    clock.advance(299);
    assert.deepEqual(fired, [140]);
    clock.advance(1);
    assert.deepEqual(fired, [140, 450]);
  });

  it("set to 0 or cleared leaves no timer, and touches do not bring it back", () => {
    for (const off of [(timer: IdleTimer) => timer.set(0), (timer: IdleTimer) => timer.clear()]) {
      const { clock, timer, fired } = setup();
      timer.set(100);
      clock.advance(50);
      off(timer);
      timer.touch();
      assert.equal(clock.armed, 0);
      clock.advance(500);
      assert.deepEqual(fired, []);
    }
  });

  it("may be set by what it fires", () => {
    const clock = new VirtualClock();
    const fired: number[] = [];
    const start = clock.now();
    const timer: IdleTimer = new IdleTimer(clock, () => {
      fired.push(clock.now() - start);
      if (fired.length < 3) timer.set(10 * fired.length);
    });
    timer.set(5);
    clock.advance(1_000);
    assert.deepEqual(fired, [5, 15, 35]);
    assert.equal(clock.armed, 0);
  });

  it("keeps no process alive", () => {
    const { clock, timer } = setup();
    timer.set(100);
    assert.equal(clock.armed, 1);
    assert.equal(clock.referenced, 0);
    clock.advance(50);
    timer.touch();
    clock.advance(60);
    assert.equal(clock.armed, 1, "armed anew for the touch");
    assert.equal(clock.referenced, 0);
  });

  it("moves no timer when it is touched", () => {
    const { clock, timer } = setup();
    timer.set(100);
    const first = clock.nextTimer();
    clock.advance(70);
    timer.touch();
    assert.equal(clock.nextTimer(), first);
  });
});
