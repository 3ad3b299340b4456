import type { Dialog } from "../../src/contract/dialog.ts";
import type { Json } from "../../src/contract/endpoint.ts";

/** A sink that keeps what one end of a dialog brings, in order. */
export class DialogProbe {
  readonly dialog: Dialog;
  readonly signals: Json[] = [];
  /** One entry for each `onClose`. */
  readonly closes: (Error | undefined)[] = [];
  #wake: () => void = () => {};

  constructor(dialog: Dialog) {
    this.dialog = dialog;
    dialog.attach({
      onSignal: (body) => {
        if (this.closes.length > 0) throw new Error("a signal came after onClose");
        this.signals.push(body);
        this.#wake();
      },
      onClose: (error) => {
        this.closes.push(error);
        this.#wake();
      },
    });
  }

  /** Resolves once so many signals have come. */
  async received(count: number): Promise<readonly Json[]> {
    await this.#until(() => this.signals.length >= count);
    return this.signals;
  }

  /** Resolves once the dialog is over. */
  async closed(): Promise<Error | undefined> {
    await this.#until(() => this.closes.length > 0);
    return this.closes[0];
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
