import assert from "node:assert/strict";
import { test } from "node:test";
import { nodePreset } from "../../../src/preset/node.ts";

test("with ONETP_REGISTRAR Node has the transports that meet there, too, relay among them", () => {
  const words = (): string[] => nodePreset().map(({ type }) => type);
  assert.equal(words().includes("relay"), false);
  process.env.ONETP_REGISTRAR = "ws://127.0.0.1:9";
  try {
    assert.deepEqual(words().slice(0, 2), ["tcp", "udp"]);
    assert.equal(words().at(-1), "relay");
  } finally {
    delete process.env.ONETP_REGISTRAR;
  }
});
