// What tests use of `node:timers/promises`.
import { nextTurn } from "#platform";

/** Resolves with the value after `ms`; rejects when the signal aborts. */
export function setTimeout<T>(ms: number, value?: T, options: { signal?: AbortSignal } = {}): Promise<T> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    const timer = globalThis.setTimeout(() => resolve(value as T), ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** Resolves once what is under way has settled: in Node that comes before, and here it is a turn or two of the event loop. */
export function setImmediate<T>(value?: T): Promise<T> {
  return new Promise((resolve) => nextTurn(() => nextTurn(() => nextTurn(() => resolve(value as T)))));
}
