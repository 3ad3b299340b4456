import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf } from "../../../src/base/errors.ts";
import { planning } from "../../../src/base/planning.ts";

const OWN = { cost: 10, connectTimeout: 5000 };

test("a transport's own values stand unless others are given", () => {
  assert.deepEqual(planning({}, OWN), OWN);
  assert.deepEqual(planning({ cost: -1 }, OWN), { cost: -1, connectTimeout: 5000 });
  assert.deepEqual(planning({ connectTimeout: 1 }, OWN), { cost: 10, connectTimeout: 1 });
});

test("wrong values throw at once", () => {
  for (const [options, code] of [
    [null, "ERR_INVALID_ARG_TYPE"],
    ["fast", "ERR_INVALID_ARG_TYPE"],
    [{ cost: "10" }, "ERR_INVALID_ARG_TYPE"],
    [{ cost: Number.NaN }, "ERR_OUT_OF_RANGE"],
    [{ connectTimeout: "1s" }, "ERR_INVALID_ARG_TYPE"],
    [{ connectTimeout: -1 }, "ERR_OUT_OF_RANGE"],
  ] as const) {
    assert.throws(
      () => planning(options as never, OWN),
      (error) => codeOf(error) === code,
    );
  }
});
