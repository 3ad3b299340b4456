import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Holdings, Role, Row, RowsModule } from "./contest.ts";

/** Which run a process belongs to. */
export interface Assignment {
  /** Address of the file in `rows/`. */
  readonly file: string;
  /** Of the row in that file. */
  readonly index: number;
  readonly side: "ours" | "peer";
}

/**
 * What an application of some size keeps alive, 12 MB: next to an almost empty heap V8 takes every 30 MB of buffers, ours
 * or a peer's, for a reason to collect everything (m).
 */
export const application: readonly object[] = Array.from({ length: 100_000 }, (_, i) => ({
  i,
  list: [i, i + 1],
}));

/** The row and stack this process was started for. */
export async function assigned(): Promise<{ assignment: Assignment; row: Row }> {
  const assignment: Assignment = JSON.parse(process.argv[2] ?? "");
  const { rows }: RowsModule = await import(assignment.file);
  const row = rows[assignment.index];
  if (!row) throw new Error(`${assignment.file} has no row ${assignment.index}`);
  return { assignment, row };
}

/** Starts `client.ts` or `server.ts` for a run. It ends by itself when its starter does. */
export function start(role: Role, assignment: Assignment): ChildProcess {
  const script = fileURLToPath(new URL(`./${role}.js`, import.meta.url));
  return fork(script, [JSON.stringify(assignment)], { execArgv: [...process.execArgv, "--expose-gc"] });
}

/** What a client is asked, and what it asks its server. */
export type Question = "figure" | "holdings" | "cpu";

/** Asks a process. */
export function ask(child: ChildProcess, question: Question): Promise<unknown> {
  const answered = answer(child);
  child.send(question);
  return answered;
}

/** The next message of a process; rejects when it ends without one. */
export async function answer(child: ChildProcess): Promise<unknown> {
  const abort = new AbortController();
  const { signal } = abort;
  try {
    return await Promise.race([
      once(child, "message", { signal }).then(([message]) => message),
      once(child, "exit", { signal }).then(([code, name]) => {
        throw new Error(`${child.spawnargs.at(-1)}: a process ended with ${name ?? `code ${code}`}`);
      }),
    ]);
  } finally {
    abort.abort();
  }
}

/** What this process holds. Waits for closing handles and collects twice, as finalizers free more. */
export async function holdings(): Promise<Holdings> {
  for (let i = 0; i < 2; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    globalThis.gc?.();
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { rss, heap: heapUsed, handles: process.getActiveResourcesInfo().length };
}

/** Seconds of processor time this process has used. */
export function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
