import { systemError } from "../../src/base/errors.ts";
import type { Dialog } from "../../src/contract/dialog.ts";
import type { Json } from "../../src/contract/endpoint.ts";
import type { Question } from "./signals.ts";

/** A dialog in which one side asks and the other answers, one question at a time. */
export class Questions {
  readonly #dialog: Dialog;
  readonly #signal: AbortSignal;
  #settle: { resolve(body: Json): void; reject(reason: unknown): void } | undefined;
  #over: { readonly reason: unknown } | undefined;
  readonly #onAbort = (): void => this.#end(this.#signal.reason);

  /** The dialog is its own from then on. */
  constructor(dialog: Dialog, signal: AbortSignal) {
    this.#dialog = dialog;
    this.#signal = signal;
    if (signal.aborted) this.#onAbort();
    signal.addEventListener("abort", this.#onAbort);
    dialog.attach({
      onSignal: (body) => {
        const settle = this.#settle;
        this.#settle = undefined;
        settle?.resolve(body);
      },
      onClose: (error) => this.#end(error ?? systemError("ECONNRESET", "signal")),
    });
  }

  /** Rejects when the dialog ends first, and with the signal's reason. */
  ask(question: Question): Promise<Json> {
    return new Promise((resolve, reject) => {
      this.throwIfOver();
      this.#settle = { resolve, reject };
      this.#dialog.send(question).catch((error: unknown) => this.#end(error));
    });
  }

  /** Throws why nothing more can be asked, if so. */
  throwIfOver(): void {
    if (this.#over) throw this.#over.reason;
  }

  close(): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#end(systemError("ECONNABORTED", "signal"));
    this.#dialog.close();
  }

  #end(reason: unknown): void {
    this.#over ??= { reason };
    this.#settle?.reject(reason);
    this.#settle = undefined;
  }
}
