import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { NODE_FLAGS } from "../../run/test-file.ts";
import { programs } from "./programs.ts";

/** A process that nothing keeps ends long before; chosen. */
const PATIENCE = 20_000;

/** How a program of its own process ended, and what it said. */
function outcome(file: string, ...words: readonly string[]): Promise<string> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...NODE_FLAGS, path, ...words],
      { timeout: PATIENCE, killSignal: "SIGKILL" },
      (error, stdout) => resolve(`${stdout}${error?.killed ? "does not end" : `exit ${error?.code ?? 0}`}`),
    );
  });
}

describe("a process with 1tp/utp ends when one with node:net does", () => {
  for (const program of Object.keys(programs)) {
    test(program, async () => {
      const [expected, actual] = await Promise.all([
        outcome("child.ts", "node:net", program),
        outcome("plain-utp-child.ts", program),
      ]);
      assert.doesNotMatch(expected, /does not end/);
      assert.equal(actual, expected);
    });
  }
});
