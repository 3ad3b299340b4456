import assert from "node:assert/strict";
import { test } from "node:test";
import { random16, seededRandom } from "../../../src/base/random.ts";

test("the same seed gives the same sequence, whichever way it is drawn", () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed);
    return [random.next(), random.integer(1000), random.chance(0.5), ...random.fill(new Uint8Array(8))];
  };
  assert.deepEqual(draw(42), draw(42));
  const seeds = [0, 1, 2, 43, -1, 2 ** 31, 2 ** 32, 2 ** 32 + 42, 2 ** 40, Number.MAX_SAFE_INTEGER];
  assert.equal(new Set(seeds.map((seed) => `${draw(seed)}`)).size, seeds.length, "each seed its own");
});

test("the sequence is the same on every machine and in every release", () => {
  const random = seededRandom(1);
  assert.deepEqual(
    Array.from({ length: 4 }, () => random.integer(2 ** 32)),
    [573063952, 3268221502, 703077755, 2308299391],
  );
});

test("next and integer stay in their range and reach all of it evenly", () => {
  const random = seededRandom(7);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 20_000; i++) {
    const x = random.next();
    assert.ok(x >= 0 && x < 1);
    const n = random.integer(10);
    counts[n]!++;
  }
  assert.equal(counts.length, 10);
  for (const count of counts) assert.ok(Math.abs(count - 2000) < 200, `${counts}`);
  assert.equal(random.integer(1), 0);
});

test("chance is never at 0, always at 1, and its share in between", () => {
  const random = seededRandom(9);
  let hits = 0;
  for (let i = 0; i < 10_000; i++) {
    assert.equal(random.chance(0), false);
    assert.equal(random.chance(1), true);
    if (random.chance(0.3)) hits++;
  }
  assert.ok(Math.abs(hits - 3000) < 150, `${hits}`);
});

test("fill fills what it is given, returns it, and every byte value comes", () => {
  const random = seededRandom(3);
  const bytes = new Uint8Array(20_000);
  assert.equal(random.fill(bytes), bytes);
  assert.equal(new Set(bytes).size, 256);
  const empty = new Uint8Array(0);
  assert.equal(random.fill(empty), empty);
  const whole = new Uint8Array(10);
  random.fill(whole.subarray(2, 4));
  assert.deepEqual([...whole.subarray(0, 2), ...whole.subarray(4)], new Array(8).fill(0));
});

test("random16 takes two bytes, the first one high", () => {
  const source = {
    fill<T extends Uint8Array>(bytes: T): T {
      bytes.set([0x12, 0xff]);
      return bytes;
    },
  };
  assert.equal(random16(source), 0x12ff);
  const random = seededRandom(5);
  const values = Array.from({ length: 5000 }, () => random16(random));
  assert.ok(Math.min(...values) < 200 && Math.max(...values) > 65_300);
});
