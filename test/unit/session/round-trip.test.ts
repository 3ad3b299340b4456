import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RoundTrip } from "../../../src/session/round-trip.ts";

describe("RoundTrip", () => {
  it("takes the first sample as it is and smooths the next ones (RFC 6298)", () => {
    const trip = new RoundTrip();
    trip.end(trip.begin(1000), 1080);
    assert.equal(trip.smoothed, 80);
    trip.end(trip.begin(2000), 2160);
    assert.equal(trip.smoothed, 90);
  });

  it("learns nothing from a PONG to another PING, or from a second one", () => {
    const trip = new RoundTrip();
    const first = trip.begin(1000);
    const second = trip.begin(2000);
    trip.end(first, 2010);
    assert.equal(trip.smoothed, undefined);
    trip.end(second, 2050);
    trip.end(second, 9000);
    assert.equal(trip.smoothed, 50);
  });

  it("is stale before the first sample and ten seconds after one, not while a PING is under way", () => {
    const trip = new RoundTrip();
    assert.equal(trip.isStale(0), true);
    const token = trip.begin(0);
    assert.equal(trip.isStale(100_000), false);
    trip.end(token, 100);
    assert.deepEqual([trip.isStale(10_100), trip.isStale(10_101)], [false, true]);
  });
});
