#!/usr/bin/env node
/** The `1tp` command. */
import { version } from "../index.ts";
import { runRegistrar } from "./registrar.ts";
import { isUsageError, USAGE, UsageError } from "./usage.ts";

const [command, ...args] = process.argv.slice(2);

try {
  await run();
} catch (error) {
  console.error(`1tp: ${error instanceof Error ? error.message : error}`);
  if (isUsageError(error)) console.error("Try `1tp --help`.");
  process.exitCode = isUsageError(error) ? 2 : 1;
}

async function run(): Promise<void> {
  if (process.argv.includes("--help")) process.stdout.write(USAGE);
  else if (process.argv.includes("--version")) console.log(version);
  else if (command === "registrar") await runRegistrar(args);
  else throw new UsageError(command === undefined ? "which command?" : `there is no command '${command}'`);
}
