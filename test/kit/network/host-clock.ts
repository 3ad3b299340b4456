import type { Clock, Instant, Timer } from "../../../src/contract/clock.ts";

interface HostTimer {
  readonly at: Instant;
  readonly fire: () => void;
  referenced: boolean;
  /** In the shared clock; none while the host sleeps past it. */
  timer: Timer | undefined;
  /** How long the host had slept when it was armed. */
  slept: number;
}

/** A host's view of the shared clock: while the host sleeps, its time stands still and no timer fires. */
export class HostClock implements Clock {
  readonly #clock: Clock;
  readonly #overslept = new Set<HostTimer>();
  #slept = 0;
  #asleepSince: Instant | undefined;
  /** Subtracting may round down; a timer must not see an instant before its own. */
  #floor: Instant = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get asleep(): boolean {
    return this.#asleepSince !== undefined;
  }

  now(): Instant {
    return Math.max(this.#floor, (this.#asleepSince ?? this.#clock.now()) - this.#slept);
  }

  wall(): number {
    return this.#clock.wall();
  }

  setTimer(at: Instant, fire: () => void): Timer {
    const entry: HostTimer = { at, fire, referenced: true, timer: undefined, slept: 0 };
    this.#arm(entry);
    return {
      cancel: () => {
        entry.timer?.cancel();
        this.#overslept.delete(entry);
      },
      ref: () => {
        entry.referenced = true;
        entry.timer?.ref();
      },
      unref: () => {
        entry.referenced = false;
        entry.timer?.unref();
      },
    };
  }

  sleep(): void {
    this.#asleepSince ??= this.#clock.now();
  }

  wake(): void {
    if (this.#asleepSince === undefined) return;
    this.#slept += this.#clock.now() - this.#asleepSince;
    this.#asleepSince = undefined;
    for (const entry of this.#overslept) this.#arm(entry);
    this.#overslept.clear();
  }

  #arm(entry: HostTimer): void {
    entry.slept = this.#slept;
    entry.timer = this.#clock.setTimer(entry.at + this.#slept, () => this.#due(entry));
    if (!entry.referenced) entry.timer.unref();
  }

  #due(entry: HostTimer): void {
    entry.timer = undefined;
    if (this.asleep) {
      this.#overslept.add(entry);
    } else if (entry.slept !== this.#slept) {
      this.#arm(entry);
    } else {
      this.#floor = Math.max(this.#floor, entry.at);
      entry.fire();
    }
  }
}
