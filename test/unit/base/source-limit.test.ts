import assert from "node:assert/strict";
import test from "node:test";
import { SourceLimit } from "../../../src/base/source-limit.ts";

const times = (limit: SourceLimit, address: string, now: number, tries = 100): number =>
  Array.from({ length: tries }, () => limit.take(address, now)).filter(Boolean).length;

test("a source may do so much a second, and as much at once", () => {
  const limit = new SourceLimit({ perSource: 10, total: 1000, sources: 100 });
  assert.deepEqual([times(limit, "5.0.0.1", 0), times(limit, "5.0.0.2", 0)], [10, 10]);
  assert.deepEqual([times(limit, "5.0.0.1", 500), times(limit, "5.0.0.1", 10_000)], [5, 10]);
});

test("an IPv6 network of 64 bits is one source, an IPv4-mapped address is not", () => {
  const limit = new SourceLimit({ perSource: 10, total: 1000, sources: 100 });
  assert.equal(times(limit, "2a01::1", 0, 6) + times(limit, "2a01::ffff:1", 0, 6), 10);
  assert.equal(times(limit, "2a01:0:0:1::1", 0), 10);
  assert.equal(times(limit, "::ffff:5.0.0.1", 0, 6) + times(limit, "::ffff:5.0.0.2", 0, 6), 12);
});

test("what one source is refused is not taken from the others", () => {
  const limit = new SourceLimit({ perSource: 10, total: 15, sources: 100 });
  assert.deepEqual([times(limit, "5.0.0.1", 0), times(limit, "5.0.0.2", 0)], [10, 5]);
});

test("forged sources push out the longest idle, and all of them stay within the total", () => {
  const limit = new SourceLimit({ perSource: 1, total: 50, sources: 10 });
  const taken = Array.from({ length: 1000 }, (_, i) => limit.take(`5.0.${i >> 8}.${i & 255}`, 0));
  assert.equal(taken.filter(Boolean).length, 50);
});
