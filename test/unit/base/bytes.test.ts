import assert from "node:assert/strict";
import { test } from "node:test";
import {
  concat,
  EMPTY,
  fromBase64Url,
  fromHex,
  sameBytes,
  toBase64Url,
  toHex,
} from "../../../src/base/bytes.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { forEachSeed } from "../../kit/seeds.ts";

test("concat joins into a new array that shares nothing with its parts", () => {
  const part = Uint8Array.of(1, 2);
  const joined = concat([part, EMPTY, Buffer.from([3])]);
  assert.deepEqual([...joined], [1, 2, 3]);
  joined[0] = 9;
  assert.equal(part[0], 1);
  const alone = concat([part]);
  assert.notEqual(alone.buffer, part.buffer);
  assert.equal(concat([]).length, 0);
});

test("sameBytes compares content, not identity or kind", () => {
  assert.equal(sameBytes(Uint8Array.of(1, 2), Buffer.from([1, 2])), true);
  assert.equal(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3)), false);
  assert.equal(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(2, 2)), false);
  assert.equal(sameBytes(EMPTY, new Uint8Array(0)), true);
});

test("hexadecimal and base64url are what Buffer makes of the same bytes, and read back", () =>
  forEachSeed(20, (seed) => {
    const random = seededRandom(seed);
    for (let length = 0; length < 70; length++) {
      const bytes = random.fill(new Uint8Array(length));
      const hex = Buffer.from(bytes).toString("hex");
      const base64 = Buffer.from(bytes).toString("base64url");
      assert.equal(toHex(bytes), hex);
      assert.equal(toBase64Url(bytes), base64);
      assert.deepEqual(fromHex(hex), bytes);
      assert.deepEqual(fromHex(hex.toUpperCase()), bytes);
      assert.deepEqual(fromBase64Url(base64), bytes);
    }
  }));

test("hexadecimal of odd length or with other characters is none", () => {
  for (const text of ["a", "abc", "0x", "0g", " 00", "00 ", "00\n", "é0", "--", "+1"]) {
    assert.equal(fromHex(text), undefined, JSON.stringify(text));
  }
});

test("base64url is accepted in its one canonical form only", () => {
  assert.deepEqual(fromBase64Url("_-8"), Uint8Array.of(255, 239));
  const wrong = [
    "A", // one character is no byte
    "AAAAA",
    "AA==", // padding
    "+/8", // the other alphabet
    "AB", // bits set that are no part of a byte
    "AAB",
    "AA A",
    "AA\n",
    "é",
  ];
  for (const text of wrong) assert.equal(fromBase64Url(text), undefined, JSON.stringify(text));
});
