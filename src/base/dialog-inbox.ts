import type { DialogSink } from "../contract/dialog.ts";
import type { Json } from "../contract/endpoint.ts";

/** Signals that wait for `attach` at most, 1 MiB of them (chosen: a dialog has a few dozen altogether). */
export const MAX_WAITING = 64;

/** What one end of a dialog has received: it waits for the sink, and reaches it from the event loop only. */
export class DialogInbox {
  readonly #defer: (task: () => void) => void;
  #waiting: Json[] = [];
  #sink: DialogSink | undefined;
  #end: { readonly error: Error | undefined } | undefined;
  #due = false;

  /** `defer` runs a task after the current operation: `nextTurn` of the platform. */
  constructor(defer: (task: () => void) => void) {
    this.#defer = defer;
  }

  /** Nothing is taken any more. */
  get ended(): boolean {
    return this.#end !== undefined;
  }

  attach(sink: DialogSink): void {
    this.#sink = sink;
    this.#wake();
  }

  /** Takes a signal. False: too many wait for a sink, and the dialog should end. */
  push(body: Json): boolean {
    if (this.#end) return true;
    if (!this.#sink && this.#waiting.length >= MAX_WAITING) return false;
    this.#waiting.push(body);
    this.#wake();
    return true;
  }

  /** The dialog is over; `onClose` follows what waits. Later calls do nothing. */
  end(error?: Error): void {
    if (this.#end) return;
    this.#end = { error };
    this.#wake();
  }

  #wake(): void {
    if (this.#due || !this.#sink) return;
    this.#due = true;
    this.#defer(() => {
      this.#due = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    const bodies = this.#waiting;
    this.#waiting = [];
    for (const body of bodies) this.#sink?.onSignal(body);
    // What a sink has brought meanwhile comes first.
    if (this.#waiting.length > 0) this.#wake();
    else if (this.#end) this.#tellEnd(this.#end.error);
  }

  #tellEnd(error: Error | undefined): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onClose(error);
  }
}
