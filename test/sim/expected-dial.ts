import type { Millis } from "../../src/contract/clock.ts";
import { sinceStart } from "../../src/net/report.ts";
import type { Outcome } from "../kit/scripted-transport.ts";

/** One attempt of a plan, and what would become of it if it were left alone. */
export interface Expected {
  readonly name: string;
  readonly outcome: Outcome;
  readonly startAfter: Millis;
}

/** How long each thing may take. */
export interface Limits {
  readonly attempt: Millis;
  readonly dial: Millis;
  /** When the application gives up. */
  readonly patience: Millis;
}

/** The report of a dial in which no two things but time-outs happen at once. */
export function expectedDial(plan: readonly Expected[], limits: Limits): string[] {
  const dial = new ExpectedDial(plan, limits.attempt);
  const stop = Math.min(limits.dial, limits.patience);
  while (dial.next < stop) dial.step();
  dial.end(limits.dial < limits.patience ? "failed" : "aborted", stop);
  return dial.report;
}

interface Attempt {
  readonly name: string;
  outcome: string;
  start?: Millis;
  end?: Millis;
}

/** A dial told event by event, with a list of what is to come instead of promises and timers. */
class ExpectedDial {
  readonly #plan: readonly Expected[];
  readonly #limit: Millis;
  readonly #attempts: readonly Attempt[];
  #running: { readonly attempt: Attempt; readonly at: Millis; readonly opens: boolean }[] = [];
  #begun = 0;
  #startAt = 0;

  constructor(plan: readonly Expected[], limit: Millis) {
    this.#plan = plan;
    this.#limit = limit;
    this.#attempts = plan.map(({ name }) => ({ name, outcome: "planned" }));
  }

  /** When something happens next; Infinity if nothing does. */
  get next(): Millis {
    return Math.min(this.#startAt, this.#running[0]?.at ?? Infinity);
  }

  get report(): string[] {
    return this.#attempts.map(({ name, outcome, start, end }) =>
      start === undefined
        ? `${name} planned`
        : `${name} ${outcome} ${sinceStart(start, 0)}-${sinceStart(end!, 0)}`,
    );
  }

  step(): void {
    const now = this.next;
    const [first] = this.#running;
    if (first?.at !== now) this.#begin(now);
    else if (first.opens) this.#win(first.attempt, now);
    else this.#fail(first.attempt, now);
  }

  /** Nothing happens any more: what still runs ends like this. */
  end(outcome: string, end: Millis): void {
    for (const { attempt } of this.#running) Object.assign(attempt, { outcome, end });
    this.#running = [];
    this.#startAt = Infinity;
  }

  #win(attempt: Attempt, now: Millis): void {
    this.end("aborted", now);
    attempt.outcome = "won";
  }

  #fail(attempt: Attempt, now: Millis): void {
    Object.assign(attempt, { outcome: "failed", end: now });
    this.#running.shift();
    const delay = this.#plan[this.#begun]?.startAfter;
    if (delay !== undefined && (delay < Infinity || this.#running.length === 0)) this.#begin(now);
  }

  #begin(now: Millis): void {
    do {
      const { outcome } = this.#plan[this.#begun]!;
      const attempt = Object.assign(this.#attempts[this.#begun]!, { start: now });
      this.#running.push({ attempt, ...this.#fate(outcome, now) });
      this.#begun += 1;
    } while (this.#plan[this.#begun]?.startAfter === 0);
    this.#running.sort((a, b) => a.at - b.at);
    this.#startAt = now + (this.#plan[this.#begun]?.startAfter ?? Infinity);
  }

  #fate({ does, after = 0 }: Outcome, start: Millis): { at: Millis; opens: boolean } {
    const lasts = { throw: 0, hang: Infinity, open: after, fail: after }[does];
    return { at: start + Math.min(lasts, this.#limit), opens: does === "open" && after < this.#limit };
  }
}
