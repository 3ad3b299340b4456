import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeSignal, encodeSignal, exceeds, MAX_SIGNAL } from "../../../src/base/signal.ts";
import type { Json } from "../../../src/contract/endpoint.ts";
import { randomRuns } from "../../kit/random-runs.ts";

test("a body survives encoding, and is one line", () => {
  const property = fc.property(fc.jsonValue(), (body) => {
    const text = encodeSignal(body as Json);
    assert.equal(text.includes("\n"), false);
    assert.deepEqual(decodeSignal(text), JSON.parse(JSON.stringify(body)));
  });
  fc.assert(property, randomRuns(200));
});

test("what is no JSON text is no body", () => {
  for (const text of ["", "{", "undefined", "NaN", '{"a":1}}']) assert.equal(decodeSignal(text), undefined);
});

test("a body is measured in bytes of UTF-8", () => {
  const property = fc.property(fc.string({ unit: "binary" }), fc.nat(40), (text, bytes) => {
    assert.equal(exceeds(text, bytes), Buffer.byteLength(text) > bytes);
  });
  fc.assert(property, randomRuns(500));
  encodeSignal("ü".repeat((MAX_SIGNAL - 2) / 2));
  assert.throws(() => encodeSignal("ü".repeat(MAX_SIGNAL / 2)), { code: "ERR_OUT_OF_RANGE" });
});

test("what JSON cannot carry is refused", () => {
  for (const body of [undefined, () => {}, Symbol("a")]) {
    assert.throws(() => encodeSignal(body as unknown as Json), { code: "ERR_INVALID_ARG_TYPE" });
  }
});
