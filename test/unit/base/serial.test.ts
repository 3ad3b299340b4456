import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../../src/base/random.ts";
import { serialAdd, serialDistance, serialLess } from "../../../src/base/serial.ts";
import { forEachSeed } from "../../kit/seeds.ts";

test("distances are short ways round the circle", () => {
  assert.equal(serialDistance(5, 3), 2);
  assert.equal(serialDistance(3, 5), -2);
  assert.equal(serialDistance(0, 65_535), 1);
  assert.equal(serialDistance(65_535, 0), -1);
  assert.equal(serialDistance(7, 7), 0);
  assert.equal(serialDistance(32_767, 0), 32_767);
});

test("opposite numbers are 32768 behind each other (RFC 1982 leaves them undefined)", () => {
  assert.equal(serialDistance(32_768, 0), -32_768);
  assert.equal(serialDistance(0, 32_768), -32_768);
  assert.equal(serialLess(0, 32_768) && serialLess(32_768, 0), true);
});

test("order holds over the wrap", () => {
  assert.equal(serialLess(65_535, 0), true);
  assert.equal(serialLess(0, 65_535), false);
  assert.equal(serialLess(1, 1), false);
  assert.equal(serialLess(65_000, 500), true);
});

test("adding wraps both ways", () => {
  assert.equal(serialAdd(65_535, 1), 0);
  assert.equal(serialAdd(0, -1), 65_535);
  assert.equal(serialAdd(10, 65_536 * 3 + 5), 15);
  assert.equal(serialAdd(10, -65_536 * 3 - 11), 65_535);
});

test("adding and distance are inverse anywhere on the circle", () =>
  forEachSeed(20, (seed) => {
    const random = seededRandom(seed);
    for (let i = 0; i < 1000; i++) {
      const from = random.integer(65_536);
      const step = random.integer(65_536) - 32_768;
      const to = serialAdd(from, step);
      assert.ok(to >= 0 && to <= 65_535);
      assert.equal(serialDistance(to, from), step);
      assert.equal(serialLess(from, to), step > 0 || step === -32_768);
    }
  }));
