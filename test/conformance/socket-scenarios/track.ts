import { createHash } from "node:crypto";
import type { SocketLike } from "./harness.ts";

/** The events a socket is compared by; `lookup` and the like belong to name resolution. */
export const EVENTS = [
  "connect",
  "ready",
  "data",
  "end",
  "finish",
  "drain",
  "error",
  "timeout",
  "close",
] as const;

/** One of EVENTS. */
export type SocketEvent = (typeof EVENTS)[number];

/** Which events not to note. */
export interface WatchOptions {
  readonly except?: readonly SocketEvent[];
}

/** One side's sequence of what happened. Adjacent data count as one, so chunking does not matter. */
export class Track {
  readonly #entries: (string | { chunks: Buffer[]; kind: "bytes" | "text" })[] = [];

  note(entry: string): void {
    this.#entries.push(entry);
  }

  data(chunk: string | Uint8Array): void {
    const kind = typeof chunk === "string" ? "text" : "bytes";
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : Buffer.from(chunk);
    const last = this.#entries.at(-1);
    if (typeof last === "object" && last.kind === kind) last.chunks.push(bytes);
    else this.#entries.push({ chunks: [bytes], kind });
  }

  /**
   * Notes every event of a socket from now on. Listening to `data` makes it flow. How `finish` and `drain`
   * stand to `data` and `end` is chance unless one follows from the other: see Stage.watchApart.
   */
  watch(socket: SocketLike, options: WatchOptions = {}): void {
    for (const event of EVENTS) {
      if (options.except?.includes(event)) continue;
      socket.on(event, (argument: unknown) => this.#event(event, argument));
    }
  }

  #event(event: SocketEvent, argument: unknown): void {
    if (event === "data") this.data(argument as string | Uint8Array);
    else if (event === "error") this.note(`error ${codeOf(argument)}`);
    else if (event === "close") this.note(`close(${Boolean(argument)})`);
    else this.note(event);
  }

  /** Notes all that a socket says of itself. */
  state(label: string, socket: SocketLike): void {
    const flags = FLAGS.filter((flag) => socket[flag]);
    this.note(`${label}: ${[socket.readyState, ...flags].join(" ")}`);
  }

  /** Notes what a call gives or throws, and passes the result on. */
  attempt<T>(label: string, call: () => T): T | undefined {
    try {
      const result = call();
      this.note(`${label} gave ${show(result)}`);
      return result;
    } catch (error) {
      this.note(`${label} threw ${codeOf(error)}`);
      return undefined;
    }
  }

  /** Notes how a promise settles. */
  async outcome(label: string, promise: PromiseLike<unknown>): Promise<void> {
    await promise.then(
      (value) => this.note(`${label} resolved ${show(value)}`),
      (error) => this.note(`${label} rejected ${codeOf(error)}`),
    );
  }

  /** A callback that notes that it came, and with which error. */
  callback(label: string): (error?: Error | null) => void {
    return (error) => this.note(error ? `${label} failed ${codeOf(error)}` : label);
  }

  entries(): string[] {
    return this.#entries.map((entry) => (typeof entry === "string" ? entry : showData(entry)));
  }
}

const FLAGS = [
  "pending",
  "connecting",
  "readable",
  "readableEnded",
  "writable",
  "writableEnded",
  "writableFinished",
  "writableNeedDrain",
  "destroyed",
  "errored",
] as const;

/** The code of an error, or its message where it has none. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return `no error but ${show(error)}`;
  return "code" in error ? String(error.code) : error.message;
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Buffer.isBuffer(value)) return `bytes ${value.toString("latin1")}`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

function showData({ chunks, kind }: { chunks: Buffer[]; kind: string }): string {
  const bytes = Buffer.concat(chunks);
  if (bytes.length <= 80) return `data ${kind} ${bytes.toString(kind === "text" ? "utf8" : "latin1")}`;
  return `data ${kind} of ${bytes.length}, sha256 ${createHash("sha256").update(bytes).digest("hex")}`;
}
