import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { NODE_FLAGS } from "../run/test-file.ts";

/** Chosen: each takes well below a second; what still runs then hangs, and is killed. */
const LIMIT_MS = 60_000;

/** How an example ended and all it printed. */
export interface Ending {
  /** Null if it had to be killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An example that runs in a process of its own. */
export interface RunningExample {
  /** Resolves with the first line it prints. */
  readonly firstLine: Promise<string>;
  readonly ending: Promise<Ending>;
}

/** Starts `examples/<name>.ts` as a newcomer would. */
export function startExample(name: string, ...words: readonly string[]): RunningExample {
  const child = spawn(process.execPath, [...NODE_FLAGS, `examples/${name}.ts`, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  const firstLine = once(createInterface(child.stdout), "line").then(([line]) => `${line}`);
  const ending = Promise.all([once(child, "close"), text(child.stdout), text(child.stderr)]).then(
    ([[code], stdout, stderr]) => ({ code, stdout, stderr }),
  );
  return { firstLine, ending };
}

/** Runs `examples/<name>.ts` to its end. */
export function runExample(name: string, ...words: readonly string[]): Promise<Ending> {
  return startExample(name, ...words).ending;
}
