import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionSettings } from "../../../src/utp/settings.ts";

test("a keepAlive of 0 is never, as false is, and what is no duration is refused", () => {
  const way = { address: "10.0.0.2", ownHost: false, maxDatagram: 1472 };
  const keepAlive = (value: unknown) => connectionSettings({ keepAlive: value as number }, way).keepAlive;
  assert.deepEqual([0, false, 1000, undefined].map(keepAlive), [false, false, 1000, 25_000]);
  for (const wrong of [Number.NaN, -1, Infinity]) {
    assert.throws(() => keepAlive(wrong), { code: "ERR_OUT_OF_RANGE" });
  }
});
