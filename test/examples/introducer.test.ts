import assert from "node:assert/strict";
import { test } from "node:test";
import { runExample } from "./example.ts";

test("introducer lets Alice and Bob punch, and is not needed any more", async () => {
  const { code, stdout, stderr } = await runExample("introducer");
  assert.equal(stderr, "");
  assert.deepEqual(stdout.split("\n"), [
    "'hello' came back over udp-punch from Alice",
    "'goodbye' came back without it",
    "",
  ]);
  assert.equal(code, 0);
});
