import { nextTick } from "#platform";

/**
 * Runs a task once everything that is under way now has settled, promises included: what a turn of the event loop
 * is to a transport with a wire, without a timer. Ticks alone would overtake whoever awaits.
 */
export function nextTurn(task: () => void): void {
  Promise.resolve().then(() => nextTick(task));
}
