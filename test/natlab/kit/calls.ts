import { createInterface } from "node:readline";

/** A line on a program's stdin. */
export interface Call {
  readonly id: number;
  readonly method: string;
  readonly argument: unknown;
}

/** A line on a program's stdout: how a call ended, or something that happened by itself. */
export type News =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly event: string; readonly detail: unknown };

/** What a program can be called for. */
export type Methods = Readonly<Record<string, (argument: never) => unknown>>;

/** Answers calls for as long as whoever started this program lives, then ends it. */
export function answerCalls(methods: Methods): void {
  const lines = createInterface(process.stdin);
  lines.on("line", (line) => void answer(methods, JSON.parse(line) as Call));
  lines.once("close", () => process.exit());
}

async function answer(methods: Methods, { id, method, argument }: Call): Promise<void> {
  try {
    tell({ id, result: await methods[method]!(argument as never) });
  } catch (error) {
    tell({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

/** Tells whoever started this program what happened by itself. */
export function announce(event: string, detail: unknown): void {
  tell({ event, detail });
}

function tell(news: News): void {
  process.stdout.write(`${JSON.stringify(news)}\n`);
}
