/**
 * `npm test`: runs every suite, or those named (`npm test -- unit sim/utp`), and ends with one line
 * `N passed, N failed, N skipped`. ONETP_REQUIRE_ALL=1 makes whatever is skipped a failure.
 * `npm run test:sim -- --seeds 5000` runs that many seeds of everything random, for as long as it takes.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { NEEDS, provide } from "./run/needs.ts";
import { type Suite, selectSuites } from "./run/suites.ts";
import { endTestFiles, type FileResult, runTestFile } from "./run/test-file.ts";

const requireAll = process.env.ONETP_REQUIRE_ALL === "1";
const total = { passed: 0, failed: 0, skipped: 0 };

process.once("exit", endTestFiles);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

const { values, positionals } = parseArgs({ allowPositionals: true, options: { seeds: { type: "string" } } });
if (values.seeds !== undefined) process.env.SEEDS = values.seeds;

for (const suite of selectSuites(positionals)) {
  const started = performance.now();
  const before = { ...total };
  await runSuite(suite);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const counts = (["passed", "failed", "skipped"] as const)
    .map((kind) => `${total[kind] - before[kind]} ${kind}`)
    .join(", ");
  console.log(`${suite.name.padEnd(12)} ${counts} (${seconds} s)`);
}
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;

async function runSuite(suite: Suite): Promise<void> {
  if (suite.script) return runScript(suite.script);
  const needs = NEEDS[suite.name] ?? {};
  const obstacle = provide(needs);
  if (obstacle) return skip(`suite ${suite.name}`, obstacle);
  const queue = [...suite.files];
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file; file = queue.shift()) count(await runTestFile(file));
  };
  await Promise.all(Array.from({ length: needs.serial ? 1 : availableParallelism() }, worker));
}

async function runScript(script: string): Promise<void> {
  const [code] = await once(spawn("npm", ["run", "--silent", script], { stdio: "inherit" }), "exit");
  if (code === 0) total.passed++;
  else fail(`npm run ${script}`, `ended with ${code}`);
}

function count({ file, passed, failures, skips, output }: FileResult): void {
  total.passed += passed;
  for (const { test, text } of skips) skip(`${file} > ${test}`, text);
  for (const { test, text } of failures) fail(`${file} > ${test}`, text);
  if (failures.length > 0 && output) console.log(`--- printed by ${file}\n${output.trimEnd()}\n---`);
}

function skip(what: string, why: string): void {
  if (requireAll) {
    fail(what, `skipped, which ONETP_REQUIRE_ALL=1 forbids: ${why}`);
  } else {
    total.skipped++;
    console.log(`SKIPPED ${what}: ${why}`);
  }
}

function fail(what: string, why: string): void {
  total.failed++;
  console.log(`FAILED ${what}\n${why.replace(/^/gm, "    ")}`);
}
