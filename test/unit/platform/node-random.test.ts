import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeRandom } from "../../../src/platform/node-random.ts";

test("small requests get bytes that nobody else has", () => {
  const seen = new Set<string>();
  for (let i = 0; i < 5000; i++) seen.add(nodeRandom.fill(new Uint8Array(12)).toString());
  assert.equal(seen.size, 5000);
});

test("every byte of a request of any size is drawn", () => {
  for (const size of [1, 2, 16, 17, 1024, 70_000]) {
    const bits = new Uint8Array(size);
    for (let i = 0; i < 24; i++)
      for (const [at, byte] of nodeRandom.fill(new Uint8Array(size)).entries()) bits[at]! |= byte;
    assert.ok(
      bits.every((byte) => byte !== 0),
      `of ${size}`,
    );
  }
});
