import type { Clock, Instant, Timer } from "../contract/clock.ts";
import type { Engine } from "../contract/engine.ts";

/** Joins an engine to the world. The one place that arms a timer for an engine. */
export interface Drive {
  /** Call after every change to the engine. */
  wake(): void;
  stop(): void;
  /** Whether the armed timer keeps the process alive. */
  ref(): void;
  unref(): void;
}

/**
 * Drains an engine after each change and arms one timer for it. `send` may return false to stop the
 * draining of transmissions until the next `wake` (a full send queue).
 */
export function drive<Event, Out>(
  engine: Engine<Event, Out>,
  clock: Clock,
  // biome-ignore lint/suspicious/noConfusingVoidType: a sink that never refuses returns nothing
  send: (out: Out) => boolean | void,
  emit: (event: Event) => void,
): Drive {
  return new EngineDrive(engine, clock, send, emit);
}

class EngineDrive<Event, Out> implements Drive {
  readonly #engine: Engine<Event, Out>;
  readonly #clock: Clock;
  readonly #send: (out: Out) => unknown;
  readonly #emit: (event: Event) => void;
  #timer: Timer | undefined;
  #armedFor: Instant | undefined;
  #stopped = false;
  #draining = false;
  #again = false;
  #referenced = true;

  constructor(
    engine: Engine<Event, Out>,
    clock: Clock,
    send: (out: Out) => unknown,
    emit: (event: Event) => void,
  ) {
    this.#engine = engine;
    this.#clock = clock;
    this.#send = send;
    this.#emit = emit;
  }

  wake(): void {
    this.#again = true;
    if (this.#draining || this.#stopped) return;
    this.#draining = true;
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        this.#drain();
      }
    } finally {
      // Also after a listener of the application has thrown: the engine lives on.
      this.#draining = false;
      if (!this.#stopped) this.#arm();
    }
  }

  #drain(): void {
    const engine = this.#engine;
    const now = this.#clock.now();
    for (let out = engine.pollTransmit(now); out !== undefined; out = engine.pollTransmit(now)) {
      if (this.#send(out) === false || this.#stopped) break;
    }
    while (!this.#stopped) {
      const event = engine.pollEvent();
      if (event === undefined) return;
      this.#emit(event);
    }
  }

  #arm(): void {
    const at = this.#engine.pollTimeout();
    // A timer that is due earlier stays: it fires early, changes nothing and is armed anew.
    if (this.#timer && this.#armedFor !== undefined && at !== undefined && this.#armedFor <= at) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#armedFor = at;
    if (at === undefined) return;
    this.#timer = this.#clock.setTimer(at, () => this.#fire());
    if (!this.#referenced) this.#timer.unref();
  }

  #fire(): void {
    this.#timer = undefined;
    this.#engine.handleTimeout(this.#clock.now());
    this.wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  ref(): void {
    this.#referenced = true;
    this.#timer?.ref();
  }

  unref(): void {
    this.#referenced = false;
    this.#timer?.unref();
  }
}
