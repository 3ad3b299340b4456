import { inspect } from "node:util";

/** One line of a test file's result: what happened, to which test, and the words for people. */
export interface TestRecord {
  readonly event: "running" | "settled" | "passed" | "failed" | "skipped" | "note" | "end";
  /** The names from the outermost suite to the test, joined by ` > `. */
  readonly name: string;
  /** The error, the reason to skip or the note. */
  readonly text: string;
}

interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name: string;
    readonly nesting: number;
    readonly line?: number;
    readonly message?: string;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly details?: {
      readonly type?: string;
      readonly error?: { readonly failureType?: string; readonly cause?: unknown };
    };
  };
}

/** The lines node:test adds at the end; the runner counts for itself. */
const NODE_SUMMARY = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

/** A reporter for node:test that writes one TestRecord a line, and `end` after the last test. */
async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const path: string[] = [];
  for await (const event of events) {
    const record = recordOf(event, path);
    if (record) yield `${JSON.stringify(record)}\n`;
  }
  yield `${JSON.stringify({ event: "end", name: "", text: "" } satisfies TestRecord)}\n`;
}

function recordOf({ type, data }: TestEvent, path: string[]): TestRecord | undefined {
  switch (type) {
    case "test:dequeue":
      return { event: "running", name: data.name, text: "" };
    case "test:complete":
      return { event: "settled", name: data.name, text: "" };
    case "test:start":
      path.length = data.nesting;
      path.push(data.name);
      return undefined;
    case "test:diagnostic":
      if (NODE_SUMMARY.test(data.message ?? "")) return undefined;
      return { event: "note", name: "", text: data.message ?? "" };
    case "test:pass":
    case "test:fail":
      return outcome(type, data, [...path.slice(0, data.nesting), data.name].join(" > "));
    default:
      return undefined;
  }
}

/**
 * A `describe` counts only when it fails by itself, in a hook, as no test of it then ran; nothing counts
 * when it fails because of a test within it, which has its own line.
 */
function outcome(type: string, data: TestEvent["data"], name: string): TestRecord | undefined {
  const { details, skip, todo } = data;
  if (skip || todo)
    return { event: "skipped", name, text: reason(skip) ?? reason(todo) ?? "no reason given" };
  if (type === "test:pass") {
    return details?.type === "suite" ? undefined : { event: "passed", name, text: "" };
  }
  if (details?.error?.failureType === "subtestsFailed") return undefined;
  return { event: "failed", name, text: errorText(details?.error) };
}

function reason(mark: string | boolean | undefined): string | undefined {
  return typeof mark === "string" && mark !== "" ? mark : undefined;
}

/** node:test wraps what the test threw. */
function errorText(error: { readonly cause?: unknown } | undefined): string {
  return inspect(error?.cause ?? error, { depth: 6 });
}

// biome-ignore lint/style/noDefaultExport: node:test takes a reporter by its default export
export default report;
