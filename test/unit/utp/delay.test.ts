import assert from "node:assert/strict";
import test from "node:test";
import { DelayHistory } from "../../../src/utp/delay-history.ts";
import { firstWindow, WindowTuning } from "../../../src/utp/window-tuning.ts";

test("queueing delay is what is above the least, whatever the clocks' offset", () => {
  for (const offset of [0, 12_345, 2 ** 32 - 20_000]) {
    const history = new DelayHistory();
    const sample = (delay: number): number => history.add((offset + delay) % 2 ** 32, 0);
    sample(50_000);
    assert.equal(history.queueing, 0);
    for (let i = 0; i < 4; i++) sample(80_000);
    assert.equal(history.queueing, 30_000);
    sample(45_000);
    assert.equal(history.queueing, 0);
  }
});

test("one late packet is no queue: the current delay is the least of four", () => {
  const history = new DelayHistory();
  for (const delay of [10_000, 10_000, 10_000, 90_000]) history.add(delay, 0);
  assert.equal(history.queueing, 0);
});

test("a base is forgotten after ten minutes", () => {
  const history = new DelayHistory();
  history.add(10_000, 0);
  for (let minute = 1; minute <= 9; minute++) history.add(60_000, minute * 60_000);
  assert.equal(history.queueing, 50_000);
  history.add(60_000, 600_000);
  assert.equal(history.queueing, 0);
});

test("a base that creeps down is drift, one that falls at once is a clock that was set", () => {
  const history = new DelayHistory();
  assert.equal(history.add(100_000, 0), 0);
  assert.equal(history.add(99_500, 0), 500);
  assert.equal(history.add(99_700, 0), 0);
  assert.equal(history.add(9_500, 0), 0);
});

test("drift the other way round shifts the base", () => {
  const history = new DelayHistory();
  for (let i = 0; i < 4; i++) history.add(10_000, 0);
  history.shift(2_000);
  for (let i = 0; i < 4; i++) history.add(15_000, 0);
  assert.equal(history.queueing, 3_000);
});

/** The largest window a tuning allows in a second of reading `bytesPerMs` at that round trip. */
function largestWindow(share: number, bytesPerMs: number, rtt: number): number {
  const tuning = new WindowTuning(share);
  let most = 0;
  for (let now = 0; now < 1000; now += 10) {
    most = Math.max(most, tuning.capacity(now * bytesPerMs, rtt, now));
  }
  return most;
}

test("a receive window is small at first, and grows to the socket's share with what is read", () => {
  assert.deepEqual([firstWindow(1_000_000), firstWindow(30_000)], [65_536, 30_000]);
  assert.equal(largestWindow(1_000_000, 0, 0.4), 65_536);
  assert.equal(largestWindow(1_000_000, 100_000, 0.4), 200_000);
  assert.equal(largestWindow(1_000_000, 10_000_000, 0.4), 1_000_000);
});

test("a receive window grows beyond the socket's share by four times what is on the wire, to 8 MiB", () => {
  assert.equal(largestWindow(64_000, 10_000, 51), 64_000 + 4 * 50 * 10_000);
  assert.equal(largestWindow(64_000, 1_000_000, 51), 8 * 1024 * 1024);
});
