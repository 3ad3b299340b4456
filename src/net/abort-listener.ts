import { nextTick } from "#platform";

/** Calls `onAbort` once the signal aborts, soon if it has already. Returns what ends the listening. */
export function listenForAbort(signal: AbortSignal | undefined, onAbort: () => void): () => void {
  if (!signal) return () => {};
  let listening = true;
  const stop = (): void => {
    listening = false;
    signal.removeEventListener("abort", abort);
  };
  const abort = (): void => {
    if (!listening) return;
    stop();
    onAbort();
  };
  if (signal.aborted) nextTick(abort);
  else signal.addEventListener("abort", abort);
  return stop;
}
