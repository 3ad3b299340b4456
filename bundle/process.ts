// What packages for Node ask of `process`, where there is none. Their ticks are the platform's, not timers: a browser
// holds timers back, for a second each in a hidden tab.

/** As in Node: runs a task after the current operation. */
export function nextTick(task: (...args: unknown[]) => void, ...args: unknown[]): void {
  queueMicrotask(() => task(...args));
}

/** No environment. */
export const env = {};
