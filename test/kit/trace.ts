import { toHex } from "../../src/base/bytes.ts";
import type { Instant } from "../../src/contract/clock.ts";

interface TraceLine {
  readonly at: Instant;
  readonly text: string | (() => string);
}

/** The last lines of a run. Lines are put into words only when somebody prints them. */
export class Trace {
  readonly #lines: TraceLine[] = [];
  readonly #limit: number;
  #added = 0;

  /** `limit`: how many lines are kept. */
  constructor(limit = 200) {
    this.#limit = limit;
  }

  /** Lines ever added. */
  get added(): number {
    return this.#added;
  }

  add(at: Instant, text: string | (() => string)): void {
    this.#lines[this.#added++ % this.#limit] = { at, text };
  }

  /** The lines that are kept, oldest first, with the time in ms. */
  toString(): string {
    const start = this.#added % this.#limit;
    const ordered =
      this.#added <= this.#limit
        ? this.#lines
        : [...this.#lines.slice(start), ...this.#lines.slice(0, start)];
    const left = this.#added - ordered.length;
    const words = ordered.map(({ at, text }) => {
      return `${at.toFixed(3).padStart(12)}  ${typeof text === "string" ? text : text()}`;
    });
    return (left > 0 ? [`(${left} earlier lines left out)`, ...words] : words).join("\n");
  }
}

/** Bytes for a trace: the length and the first 24 bytes. */
export function describeBytes(data: Uint8Array): string {
  const head = toHex(data.subarray(0, 24));
  return `${data.length} B ${head}${data.length > 24 ? "…" : ""}`;
}
