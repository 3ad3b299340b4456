import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { runTestFile } from "../../run/test-file.ts";

describe("running one test file", () => {
  const folder = mkdtempSync(join(tmpdir(), "1tp-run-"));
  after(() => rmSync(folder, { recursive: true }));

  const run = (name: string, code: string, limitMs?: number) => {
    const file = join(folder, `${name}.test.mjs`);
    writeFileSync(file, `import { before, describe, it } from "node:test";\n${code}`);
    return runTestFile(file, limitMs);
  };
  const words = (remarks: readonly { test: string; text: string }[]) =>
    remarks.map(({ test, text }) => `${test}: ${text}`).join("\n");

  it("counts each test once and a describe not at all", async () => {
    const result = await run(
      "mixed",
      `describe("a", () => { it("b", () => {}); it("c", { skip: "why" }, () => {}); });`,
    );
    assert.equal(result.passed, 1);
    assert.deepEqual(result.skips, [{ test: "a > c", text: "why" }]);
    assert.deepEqual(result.failures, []);
  });

  it("gives a failure in full, with what the file printed", async () => {
    const result = await run(
      "failing",
      `it("a", (t) => { console.log("seed 7"); t.diagnostic("note 8"); throw new Error("b"); });`,
    );
    assert.equal(result.failures.length, 1);
    assert.match(words(result.failures), /^a: Error: b\n +at /);
    assert.match(result.output, /note 8\nseed 7\n/);
  });

  it("counts a failure once, not again for the test it is in", async () => {
    const result = await run(
      "nested",
      `it("a", async (t) => { await t.test("b", () => { throw new Error("c"); }); });`,
    );
    assert.deepEqual(
      result.failures.map(({ test }) => test),
      ["a > b"],
    );
  });

  it("counts a test marked todo as skipped", async () => {
    const result = await run("todo", `it("a", { todo: true }, () => { throw new Error(); });`);
    assert.deepEqual([result.passed, result.failures.length, result.skips.length], [0, 0, 1]);
  });

  it("fails a describe whose hook fails", async () => {
    const result = await run(
      "hook",
      `describe("a", () => { before(() => { throw new Error("b"); }); it("c", () => {}); });`,
    );
    assert.match(words(result.failures), /^a: Error: b/m);
  });

  it("fails a file that holds no test", async () => {
    assert.match(words((await run("empty", "")).failures), /holds no test/);
  });

  it("fails a file that cannot be loaded", async () => {
    const result = await run("broken", `import "./missing.mjs";`);
    assert.equal(result.failures.length, 1);
    assert.match(result.output, /ERR_MODULE_NOT_FOUND/);
  });

  it("fails a file that leaves before its tests have run", async () => {
    const result = await run("leaving", `it("a", () => { process.exit(0); });`);
    assert.match(words(result.failures), /left by process\.exit/);
  });

  it("kills a file that hangs in a test, and names the test", async () => {
    const result = await run(
      "hanging",
      `it("a", () => {}); it("b", () => new Promise(() => setInterval(() => {}, 100)));`,
      1500,
    );
    assert.equal(result.passed, 1);
    assert.match(words(result.failures), /killed after 1.5 s; still running: b/);
  });

  it("kills a file that stays open after its tests, and says so", async () => {
    const result = await run("open", `it("a", () => void setInterval(() => {}, 100));`, 1500);
    assert.equal(result.passed, 1);
    assert.match(words(result.failures), /killed after 1.5 s; no test was running/);
  });

  it("ends the processes that a file leaves behind", async () => {
    const result = await run(
      "leftover",
      `import { spawn } from "node:child_process";
       it("a", () => {
         const child = spawn("sleep", ["60"], { stdio: "ignore" });
         child.unref();
         console.log("pid " + child.pid + "\\n");
         throw new Error();
       });`,
    );
    const pid = Number(/pid (\d+)/.exec(result.output)?.[1]);
    assert.ok(pid > 0);
    // A signal is on its way for a moment; a process that was left alone would stay for a minute.
    while (!hasEnded(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});

/** A killed orphan may stay a zombie until init has collected it. */
function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return true;
  }
  return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}
