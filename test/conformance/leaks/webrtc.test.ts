import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { WebRtcRemains } from "./webrtc-program.ts";

const PROGRAM = fileURLToPath(new URL("./webrtc-program.ts", import.meta.url));

/** Chosen: bytes a connection by which the resident set of one process differs from round to round. */
const NOISE = 65_536;

test("500 connections over webrtc leave none open, and no more memory than wrtc's own", {
  timeout: 300_000,
}, async (t) => {
  const flags = ["--expose-gc", "--conditions=1tp-source", "--import", "tsx"];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, PROGRAM]);
  const { live, made, ours, raw }: WebRtcRemains = JSON.parse(stdout);
  t.diagnostic(`bytes a connection: ${ours} over 1tp, ${raw} with wrtc alone`);
  assert.deepEqual([live, made], [0, 1000]);
  assert.ok(ours <= raw + NOISE, `${ours} bytes a connection, ${raw} with wrtc alone`);
});
