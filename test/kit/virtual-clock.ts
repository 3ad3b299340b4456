import { setImmediate } from "node:timers/promises";
import type { Clock, Instant, Millis, Timer } from "../../src/contract/clock.ts";
import { Timeline } from "./timeline.ts";

/** Timers one call may fire before it is taken for an endless loop (chosen: beyond any honest test). */
const MAX_TIMERS = 10_000_000;

/** Virtual time `run` grants a task (chosen: longer than any time-out of the library). */
const RUN_LIMIT: Millis = 3_600_000;

/** Where virtual time begins: not at 0, so that an instant is not taken for a length of time. */
const START: Instant = 1_000;

/** The wall clock at the start: 2026-01-01T00:00:00Z. */
const WALL_START = 1_767_225_600_000;

class VirtualTimer implements Timer {
  readonly #clock: TimerAccount;
  fire: (() => void) | undefined;
  referenced = true;

  constructor(clock: TimerAccount, fire: () => void) {
    this.#clock = clock;
    this.fire = fire;
  }

  cancel(): void {
    if (!this.fire) return;
    this.fire = undefined;
    if (this.referenced) this.#clock.referenced--;
    this.#clock.cancelled++;
  }

  ref(): void {
    if (this.fire && !this.referenced) this.#clock.referenced++;
    this.referenced = true;
  }

  unref(): void {
    if (this.fire && this.referenced) this.#clock.referenced--;
    this.referenced = false;
  }
}

interface TimerAccount {
  referenced: number;
  cancelled: number;
}

/**
 * Time that passes only when a test says so. Timers fire in the order of their instants, those of one
 * instant in the order they were armed; a timer armed for the past fires as if armed for now.
 */
export class VirtualClock implements Clock {
  readonly #timers = new Timeline<VirtualTimer>();
  readonly #account: TimerAccount = { referenced: 0, cancelled: 0 };
  #now = START;
  #wallOffset = WALL_START - START;
  #firing = false;

  now(): Instant {
    return this.#now;
  }

  wall(): number {
    return this.#now + this.#wallOffset;
  }

  setTimer(at: Instant, fire: () => void): Timer {
    if (Number.isNaN(at)) throw new RangeError("a timer cannot be armed for NaN");
    const timer = new VirtualTimer(this.#account, fire);
    this.#account.referenced++;
    this.#timers.add(Math.max(at, this.#now), timer);
    this.#sweep();
    return timer;
  }

  /** Armed timers, unref'd ones included. */
  get armed(): number {
    return this.#timers.size - this.#account.cancelled;
  }

  /** Armed timers that would keep a process alive. */
  get referenced(): number {
    return this.#account.referenced;
  }

  /** When the next timer fires; undefined if none is armed. */
  nextTimer(): Instant | undefined {
    for (let entry = this.#timers.peek(); entry; entry = this.#timers.peek()) {
      if (entry.value.fire) return entry.at;
      this.#timers.take();
      this.#account.cancelled--;
    }
    return undefined;
  }

  /** Lets `ms` pass and fires what falls due, also what is armed meanwhile. */
  advance(ms: Millis): void {
    this.advanceTo(this.#now + ms);
  }

  /** As `advance`, to an instant that has not passed. */
  advanceTo(at: Instant): void {
    this.#checkForward(at);
    for (let fired = 0; this.#fireNext(at); fired++) checkCount(fired);
    this.#now = at;
  }

  /** Jumps from timer to timer until no ref'd timer is left. Throws once `limit` ms have passed. */
  runUntilIdle(limit: Millis = RUN_LIMIT): void {
    const end = this.#now + limit;
    for (let fired = 0; this.referenced > 0; fired++) {
      checkCount(fired);
      if (!this.#fireNext(end)) throw new Error(`not idle after ${limit} ms: ${this.#outlook()}`);
    }
  }

  /** As `advance`, and lets promises and `nextTick` tasks settle before and after each timer. */
  async advanceAsync(ms: Millis): Promise<void> {
    const end = this.#now + ms;
    this.#checkForward(end);
    await setImmediate();
    for (let fired = 0; this.#fireNext(end); fired++) {
      checkCount(fired);
      await setImmediate();
    }
    this.#now = end;
  }

  /**
   * Starts `task` and lets virtual time pass, with settling as in `advanceAsync`, until it is done.
   * Rejects if nothing is left to happen or `limit` ms have passed. Waits for no real I/O.
   */
  async run<T>(task: () => T | Promise<T>, limit: Millis = RUN_LIMIT): Promise<T> {
    const end = this.#now + limit;
    let done = false;
    const result = (async () => task())();
    const settled = () => {
      done = true;
    };
    result.then(settled, settled);
    await setImmediate();
    for (let fired = 0; !done; fired++) {
      checkCount(fired);
      if (!this.#fireNext(end)) throw new Error(`the task is pending and will stay so: ${this.#outlook()}`);
      await setImmediate();
    }
    return result;
  }

  /** Moves the wall clock alone, as when the machine slept or somebody set the clock. */
  jumpWall(ms: Millis): void {
    this.#wallOffset += ms;
  }

  #fireNext(limit: Instant): boolean {
    if (this.#firing) throw new Error("a timer's callback must not move the clock");
    const next = this.nextTimer();
    if (next === undefined || next > limit) return false;
    const timer = this.#timers.take()!.value;
    const fire = timer.fire!;
    timer.fire = undefined;
    if (timer.referenced) this.#account.referenced--;
    this.#now = Math.max(this.#now, next);
    this.#firing = true;
    try {
      fire();
    } finally {
      this.#firing = false;
    }
    return true;
  }

  /** Forgets cancelled timers before they outnumber the armed ones. */
  #sweep(): void {
    if (this.#account.cancelled < 64 || this.#account.cancelled * 2 < this.#timers.size) return;
    this.#timers.filter((timer) => timer.fire !== undefined);
    this.#account.cancelled = 0;
  }

  #checkForward(at: Instant): void {
    if (!(at >= this.#now)) throw new RangeError(`the clock cannot go from ${this.#now} back to ${at}`);
  }

  #outlook(): string {
    const next = this.nextTimer();
    const then = next === undefined ? "no timer is armed" : `the next timer is at ${next} ms`;
    return `it is ${this.#now} ms and ${then}`;
  }
}

function checkCount(fired: number): void {
  if (fired >= MAX_TIMERS) throw new Error(`${MAX_TIMERS} timers fired in one call: an endless loop`);
}
