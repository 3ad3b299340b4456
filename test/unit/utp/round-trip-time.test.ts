import assert from "node:assert/strict";
import test from "node:test";
import { RoundTripTime } from "../../../src/utp/rtt.ts";

test("the first sample sets the estimate, later ones move it by an eighth (RFC 6298 §2)", () => {
  const rtt = new RoundTripTime(1, 30_000);
  assert.equal(rtt.rto, 1000);
  rtt.sample(100, 0);
  assert.deepEqual([rtt.smoothed, rtt.variation, rtt.rto], [100, 50, 300]);
  rtt.sample(180, 1);
  assert.deepEqual([rtt.smoothed, rtt.variation], [110, 57.5]);
});

test("the time-out has the least value it was given, and backs off to a share of the patience", () => {
  const rtt = new RoundTripTime(200, 30_000);
  rtt.sample(1, 0);
  assert.deepEqual(
    [0, 1, 2, 9].map((attempts) => rtt.backedOff(attempts)),
    [200, 400, 800, 3750],
  );
});

test("the patience never cuts a time-out below its length without back-off", () => {
  const rtt = new RoundTripTime(200, 1000);
  rtt.sample(300, 0);
  assert.deepEqual([rtt.rto, rtt.backedOff(5)], [900, 900]);
});

test("the least round trip is forgotten after five minutes", () => {
  const rtt = new RoundTripTime(200, 30_000);
  rtt.sample(10, 0);
  rtt.sample(50, 299_000);
  assert.equal(rtt.min, 10);
  rtt.sample(50, 301_000);
  assert.equal(rtt.min, 50);
});
