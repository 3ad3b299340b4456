import assert from "node:assert/strict";
import { test } from "node:test";
import { Pattern } from "../../kit/pattern.ts";

test("a pattern is the same wherever it is cut", () => {
  const pattern = new Pattern(3);
  const parts = [1, 1000, 65_536, 64_000, 7];
  let position = 0;
  const pieces = parts.map((length) => {
    const piece = pattern.slice(position, length);
    assert.equal(piece.length, length);
    position += length;
    return piece;
  });
  assert.ok(new Pattern(3).matches(Buffer.concat(pieces), 0));
});

test("a pattern matches at no other place, in no other stream and with no byte changed", () => {
  const pattern = new Pattern(3);
  const piece = pattern.slice(100_000, 200);
  assert.ok(pattern.matches(piece, 100_000));
  for (const shift of [-1, 1, 1452, 65_536]) assert.ok(!pattern.matches(piece, 100_000 + shift));
  assert.ok(!new Pattern(2).matches(piece, 100_000));
  piece[199]! ^= 1;
  assert.ok(!pattern.matches(piece, 100_000));
});
