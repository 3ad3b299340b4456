import { createHook } from "node:async_hooks";
import { setImmediate } from "node:timers/promises";

/**
 * Kinds of handles whose every opening is watched, also of those that do not keep the process alive:
 * sockets, servers, pipes, timers, watchers, processes, workers.
 */
const WATCHED = /^(TCP|UDP|PIPE|TLS|TTY)\w*WRAP$|^(Timeout|FSEVENTWRAP|PROCESSWRAP|WORKER|MESSAGEPORT)$/;

/** Ms of real time what is closing may take, such as a connection's last segments (chosen; only failures wait so long). */
const PATIENCE = 2_000;

/** What keeps the process alive now, by kind, as `process.getActiveResourcesInfo` tells it. */
export function activeResources(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/**
 * Runs `body` and rejects if handles, timers or requests are open afterwards that were not before, telling
 * where each was opened. Looks again after each turn of the event loop until nothing is left.
 */
export async function assertNothingLeft(
  body: () => unknown,
  { patience = PATIENCE }: { readonly patience?: number } = {},
): Promise<void> {
  const before = activeResources();
  const watch = watchHandles();
  try {
    await body();
    const end = performance.now() + patience;
    let left = leftovers(before, watch.open);
    while (left.length > 0 && performance.now() < end) {
      await setImmediate();
      left = leftovers(before, watch.open);
    }
    if (left.length > 0) throw new Error(`left open:\n${left.join("\n")}`);
  } finally {
    watch.stop();
  }
}

interface Watch {
  /** Where each handle that is open was opened. */
  readonly open: ReadonlyMap<number, string>;
  stop(): void;
}

function watchHandles(): Watch {
  const open = new Map<number, string>();
  const hook = createHook({
    init(id, kind) {
      if (WATCHED.test(kind)) open.set(id, `${kind}${openedAt()}`);
    },
    destroy(id) {
      open.delete(id);
    },
  });
  hook.enable();
  return { open, stop: () => void hook.disable() };
}

/** The frames of our own code that led here. */
function openedAt(): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 40;
  const { stack = "" } = new Error();
  Error.stackTraceLimit = limit;
  const frames = stack.split("\n").slice(1);
  return frames
    .filter((frame) => !/node:|async_hooks|kit\/leaks\.ts/.test(frame))
    .map((frame) => `\n${frame}`)
    .join("");
}

function leftovers(before: ReadonlyMap<string, number>, open: ReadonlyMap<number, string>): string[] {
  const left = [...open.values()];
  for (const [kind, count] of activeResources()) {
    const more = count - (before.get(kind) ?? 0);
    // Handles that are watched are told with their place already; immediates are this function's own.
    if (more > 0 && left.length === 0 && kind !== "Immediate") left.push(`${more} × ${kind}`);
  }
  return left;
}
