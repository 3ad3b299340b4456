/** A point on the monotonic clock, in milliseconds with fractions. Only differences mean something. */
export type Instant = number;

/** A length of time in milliseconds. */
export type Millis = number;

/** A timer that fires once. Cancelling a fired or cancelled timer does nothing. */
export interface Timer {
  cancel(): void;
  /** Let the timer keep the process alive (the default). */
  ref(): void;
  /** Let the process exit although the timer is armed. */
  unref(): void;
}

/** The only source of time. */
export interface Clock {
  /** Monotonic: never goes back, and may stand still while the machine sleeps. */
  now(): Instant;
  /** Wall clock in ms since the epoch. Only for noticing that the machine slept. */
  wall(): number;
  /** Calls `fire` once at `at` or later, never from inside this call, even if `at` has passed. */
  setTimer(at: Instant, fire: () => void): Timer;
}
