import assert from "node:assert/strict";
import test from "node:test";
import { ExpiringMap } from "../../../src/base/expiring-map.ts";
import { TokenBucket } from "../../../src/base/token-bucket.ts";

test("an expiring map forgets by time, and the oldest first when it is full", () => {
  const map = new ExpiringMap<number>(100, 3);
  for (let i = 0; i < 4; i++) map.set(`${i}`, i, i);
  assert.deepEqual([map.get("0", 4), map.get("1", 4), map.get("3", 4), map.size], [undefined, 1, 3, 3]);
  assert.equal(map.get("1", 101), undefined);
  map.set("new", 9, 500);
  assert.equal(map.size, 1);
});

test("setting again renews, deleting forgets", () => {
  const map = new ExpiringMap<string>(100, 2);
  map.set("a", "old", 0);
  map.set("b", "b", 1);
  map.set("a", "new", 2);
  map.set("c", "c", 3);
  assert.deepEqual([map.get("a", 50), map.get("b", 50)], ["new", undefined]);
  map.delete("a");
  assert.equal(map.get("a", 50), undefined);
});

test("a token bucket gives its rate, and a second's worth at once after a rest", () => {
  const bucket = new TokenBucket(10);
  const take = (now: number): number => {
    let taken = 0;
    while (bucket.take(now)) taken++;
    return taken;
  };
  assert.deepEqual([take(0), take(50), take(100), take(150), take(10_000)], [10, 0, 1, 0, 10]);
});
