import type {
  Dialog,
  RegisterOptions,
  Registration,
  Signaling,
  SignalingAddress,
} from "../../src/contract/dialog.ts";
import type { Json, JsonObject } from "../../src/contract/endpoint.ts";

/** What becomes of a body on its way: the bodies to hand on instead, in order. */
export type Meddle = (body: Json) => readonly Json[];

/** What whoever carries the dialogs does. */
export interface Meddling {
  /** Default: every body as it is. */
  meddle: Meddle;
  /** Whom a dialog leads to; default: whom it was opened to. */
  divert(address: SignalingAddress): SignalingAddress;
  /** Every body that went by, both ways. */
  readonly seen: Json[];
}

/** Somebody who hands on everything, and remembers it. */
export function witness(): Meddling {
  return { meddle: (body) => [body], divert: (address) => address, seen: [] };
}

/** A signaling whose carrier reads, and does as it likes. */
export class MeddlingSignaling implements Signaling {
  readonly #inner: Signaling;
  readonly #meddling: Meddling;

  constructor(inner: Signaling, meddling: Meddling) {
    this.#inner = inner;
    this.#meddling = meddling;
  }

  accepts(address: JsonObject): boolean {
    return this.#inner.accepts(address);
  }

  register(options: RegisterOptions): Promise<Registration> {
    const onDialog = (dialog: Dialog): void => options.onDialog(this.#carry(dialog));
    return this.#inner.register({ ...options, onDialog });
  }

  async open(address: SignalingAddress, transportType: string, signal?: AbortSignal): Promise<Dialog> {
    const { divert } = this.#meddling;
    return this.#carry(await this.#inner.open(divert(address), transportType, signal));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** Meddles with what is sent at this end; the other end has a carrier of its own. */
  #carry(dialog: Dialog): Dialog {
    const { seen, meddle } = this.#meddling;
    return {
      async send(body) {
        seen.push(body);
        for (const instead of meddle(body)) await dialog.send(instead);
      },
      attach: (sink) => dialog.attach(sink),
      close: () => dialog.close(),
    };
  }
}
