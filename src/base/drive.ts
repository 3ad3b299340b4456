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
  let timer: Timer | undefined;
  let armedFor: Instant | undefined;
  let stopped = false;
  let draining = false;
  let again = false;
  let referenced = true;

  function wake(): void {
    again = true;
    if (draining || stopped) return;
    draining = true;
    try {
      while (again && !stopped) {
        again = false;
        drain();
      }
    } finally {
      // Also after a listener of the application has thrown: the engine lives on.
      draining = false;
      if (!stopped) arm();
    }
  }

  function drain(): void {
    const now = clock.now();
    for (let out = engine.pollTransmit(now); out !== undefined; out = engine.pollTransmit(now)) {
      if (send(out) === false || stopped) break;
    }
    while (!stopped) {
      const event = engine.pollEvent();
      if (event === undefined) return;
      emit(event);
    }
  }

  function arm(): void {
    const at = engine.pollTimeout();
    // A timer that is due earlier stays: it fires early, changes nothing and is armed anew.
    if (timer && armedFor !== undefined && at !== undefined && armedFor <= at) return;
    timer?.cancel();
    timer = undefined;
    armedFor = at;
    if (at === undefined) return;
    timer = clock.setTimer(at, fire);
    if (!referenced) timer.unref();
  }

  function fire(): void {
    timer = undefined;
    engine.handleTimeout(clock.now());
    wake();
  }

  return {
    wake,
    stop() {
      stopped = true;
      timer?.cancel();
      timer = undefined;
    },
    ref() {
      referenced = true;
      timer?.ref();
    },
    unref() {
      referenced = false;
      timer?.unref();
    },
  };
}
