import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { crypto } from "#platform";
import { checkSalt, deriveUid, isUid } from "../../../src/base/uid.ts";

test("a uid is the first half of the SHA-256 of key and salt", () => {
  const key = new Uint8Array(32).fill(1);
  const salt = new Uint8Array(16).fill(2);
  const expected = createHash("sha256").update(key).update(salt).digest("hex").slice(0, 32);
  assert.equal(deriveUid(crypto, key, salt), expected);
  assert.equal(isUid(expected), true);
});

test("only 32 lower-case hexadecimal digits look like a uid", () => {
  const uid = "0123456789abcdef0123456789abcdef";
  for (const wrong of [uid.toUpperCase(), uid.slice(1), `${uid}0`, `${uid}\n`, 7, null, undefined, [uid]]) {
    assert.equal(isUid(wrong), false, String(wrong));
  }
});

test("a salt is absent or 16 bytes", () => {
  checkSalt(undefined);
  checkSalt(new Uint8Array(16));
  for (const wrong of [null, "0123456789abcdef", new Uint8Array(17), new Array(16).fill(0)]) {
    assert.throws(() => checkSalt(wrong), { code: "ERR_INVALID_ARG_TYPE" });
  }
});
