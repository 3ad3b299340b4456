import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { KEPT_BY_THE_SYSTEM, programs } from "./programs.ts";

const CHILD = fileURLToPath(new URL("./child.ts", import.meta.url));

/** A process that nothing keeps ends long before; chosen. */
const PATIENCE = 20_000;

interface Outcome {
  readonly status: string;
  readonly said: readonly string[];
}

/** Runs one program in a process of its own. */
function runProgram(harness: string, program: string): Promise<Outcome> {
  const execArgv = ["--conditions=1tp-source", "--import", "tsx"];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...execArgv, CHILD, harness, program],
      { timeout: PATIENCE, killSignal: "SIGKILL" },
      (error, stdout) => {
        const status = error?.killed ? "does not end" : `exit ${error?.code ?? 0}`;
        resolve({ status, said: stdout.trim().split("\n") });
      },
    );
  });
}

describe("a process with 1tp ends when one with node:net does", { concurrency: 2 }, () => {
  for (const program of Object.keys(programs)) {
    test(program, async (t) => {
      const expected = await runProgram("node:net", program);
      assert.notEqual(expected.status, "does not end");
      const kept = KEPT_BY_THE_SYSTEM.includes(program);
      for (const harness of kept ? ["1tp over tcp"] : ["1tp over tcp", "1tp over memory"]) {
        await t.test(harness, async () => assert.deepEqual(await runProgram(harness, program), expected));
      }
    });
  }
});
