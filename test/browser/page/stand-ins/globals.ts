// Globals of Node that tests, not the library, take for granted. The bundler puts them where they are named.
import { nextTick, nextTurn } from "#platform";

export { Buffer } from "#platform";

/** The environment is empty. */
export const process = { env: {}, execArgv: [], getActiveResourcesInfo: () => [], nextTick };

/** Runs a task in the next turn of the event loop. */
export function setImmediate(task: (...args: unknown[]) => void, ...args: unknown[]): void {
  nextTurn(() => task(...args));
}
