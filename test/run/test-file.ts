import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestRecord } from "./reporter.ts";

/** A test with the words for people. */
export interface Remark {
  readonly test: string;
  readonly text: string;
}

/** What one test file came to. */
export interface FileResult {
  readonly file: string;
  readonly passed: number;
  /** One more than the tests when the file itself broke: hung, ended early, held no test. */
  readonly failures: readonly Remark[];
  readonly skips: readonly Remark[];
  /** Notes and the end of what it printed, for people who read a failure. */
  readonly output: string;
}

/** How every file of the project is run from its sources. */
export const NODE_FLAGS = ["--conditions=1tp-source", "--import", import.meta.resolve("tsx")];

/** Chosen: several times what the slowest file takes, so that only a file that hangs meets it. */
const FILE_LIMIT_MS = 240_000;

/** Who asks for a number of seeds asks for as long as they take: a day at most. */
const SEEDS_LIMIT_MS = 86_400_000;

/** Chosen: enough to see how a file ended, little enough to read. */
const OUTPUT_LIMIT = 32_768;

const REPORTER = new URL("./reporter.ts", import.meta.url).href;

/** Runs one file in a process group of its own, and ends the whole group with it. */
export async function runTestFile(
  file: string,
  limitMs = process.env.SEEDS ? SEEDS_LIMIT_MS : FILE_LIMIT_MS,
): Promise<FileResult> {
  const folder = mkdtempSync(join(tmpdir(), "1tp-test-"));
  const records = join(folder, "records");
  const printed = join(folder, "printed");
  const output = openSync(printed, "w");
  try {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const reporting = [`--test-reporter=${REPORTER}`, `--test-reporter-destination=${records}`];
    const child = spawn(process.execPath, [...NODE_FLAGS, ...reporting, file], {
      detached: true,
      env,
      stdio: ["ignore", output, output],
    });
    const ending = await ended(child, limitMs);
    return judge(file, readRecords(records), ending, readFileSync(printed, "utf8"));
  } finally {
    closeSync(output);
    rmSync(folder, { recursive: true, force: true });
  }
}

const groups = new Set<number>();

/** Ends every test file that still runs, with all the processes it started. */
export function endTestFiles(): void {
  for (const group of groups) endGroup(group);
}

function endGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // The group is empty: nothing was left running.
  }
  groups.delete(group);
}

/** How the process ended: an exit code, a signal, or `limit` when it had to be killed. */
function ended(child: ChildProcess, limitMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    const group = child.pid;
    if (group === undefined) return;
    groups.add(group);
    let killed = false;
    const limit = setTimeout(() => {
      killed = true;
      endGroup(group);
    }, limitMs);
    child.once("exit", (code, signal) => {
      clearTimeout(limit);
      endGroup(group);
      resolve(
        killed ? `had to be killed after ${limitMs / 1000} s` : `ended with ${signal ?? `code ${code}`}`,
      );
    });
  });
}

function readRecords(path: string): TestRecord[] {
  const lines = readFileSync(path, { encoding: "utf8", flag: "a+" }).split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as TestRecord);
}

function judge(file: string, records: readonly TestRecord[], ending: string, printed: string): FileResult {
  const remarks = (event: TestRecord["event"]): Remark[] =>
    records.filter((record) => record.event === event).map(({ name, text }) => ({ test: name, text }));
  const passed = remarks("passed").length;
  const failures = remarks("failed");
  const skips = remarks("skipped");
  const fault = faultOf(records, ending, passed + failures.length + skips.length, failures.length);
  if (fault) failures.push({ test: "(the file)", text: fault });
  const notes = remarks("note").map(({ text }) => `${text}\n`);
  return { file, passed, failures, skips, output: notes.join("") + printed.slice(-OUTPUT_LIMIT) };
}

/** What is wrong with the file as a whole, if anything. */
function faultOf(
  records: readonly TestRecord[],
  ending: string,
  tests: number,
  failed: number,
): string | undefined {
  const succeeded = ending === "ended with code 0";
  const complete = records.some(({ event }) => event === "end");
  if (records.length === 0 && succeeded) return "It holds no test, or left by process.exit().";
  if (!complete) return `The process ${ending}; ${unfinished(records)}`;
  if (tests === 0) return "It holds no test.";
  if (failed === 0 && !succeeded) return `Every test passed, but the process ${ending}.`;
  return undefined;
}

function unfinished(records: readonly TestRecord[]): string {
  const running: string[] = [];
  for (const { event, name } of records) {
    if (event === "running") running.push(name);
    if (event === "settled") running.splice(running.indexOf(name), 1);
  }
  if (running.length > 0) return `still running: ${running.join(", ")}`;
  return "no test was running: something it opened was never closed, or it left by process.exit().";
}
