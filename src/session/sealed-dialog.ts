import { nodeError, OnetpError, systemError, toError } from "../base/errors.ts";
import type { Channel } from "../contract/channel.ts";
import type { Dialog, DialogSink } from "../contract/dialog.ts";
import type { Endpoint, Json, JsonObject } from "../contract/endpoint.ts";
import type { Seal, SealEvent } from "./seal.ts";

/** What a sealed dialog needs besides the dialog and the seal. */
export interface SealedDialogOptions {
  /** Runs a task after the current operation: `nextTick` of the platform. */
  readonly defer: (task: () => void) => void;
  /**
   * Called once: without error when the peer has proved itself and, where the dialog was accepted, has
   * sent a body; else with the reason, the dialog being closed. Not after `close`.
   */
  readonly onSettled: (error?: Error) => void;
  /** Where the dialog was opened: the peer has turned us away after it had settled, before the sink hears of the end. */
  readonly onRefused?: (error: Error) => void;
  /** Where the dialog is accepted: whether the opener may. Must `answer` once, now or later. Default: it may. */
  readonly authorize?: ((publicKey: string, answer: (admitted: boolean) => void) => void) | undefined;
}

/** Bodies that wait for `attach`; a peer that sends more of them loses the dialog (`contract/dialog.ts`). */
const MAX_WAITING = 64;

/** A dialog only its two endpoints can read: whoever carries it can at worst lose and delay signals. */
export class SealedDialog implements Dialog {
  readonly relay?: (remote: Endpoint) => Channel;
  readonly #dialog: Dialog;
  readonly #seal: Seal;
  readonly #options: SealedDialogOptions;
  readonly #waiting: Json[] = [];
  #sink: DialogSink | undefined;
  #settled = false;
  #over: { readonly error?: Error } | undefined;

  /** `first` is the opener's first signal. */
  constructor(dialog: Dialog, seal: Seal, options: SealedDialogOptions, first?: JsonObject) {
    this.#dialog = dialog;
    this.#seal = seal;
    this.#options = options;
    if (dialog.relay) this.relay = (remote) => dialog.relay!(remote);
    dialog.attach({
      onSignal: (body) => this.#follow(this.#seal.handle(body)),
      onClose: (error) => this.#end(error),
    });
    if (first) this.#send(first);
  }

  get observedAddress(): string | undefined {
    return this.#dialog.observedAddress;
  }

  /** Base64url; undefined until settled. */
  get remotePublicKey(): string | undefined {
    return this.#seal.remotePublicKey;
  }

  /** Rejects with ERR_OUT_OF_RANGE if the body is more than 12,000 bytes of JSON. Not before settled. */
  async send(body: Json): Promise<void> {
    if (this.#over) throw nodeError("ERR_STREAM_DESTROYED", "The dialog is closed");
    await this.#dialog.send(this.#seal.seal(body));
  }

  attach(sink: DialogSink): void {
    this.#sink = sink;
    this.#options.defer(() => this.#deliver());
  }

  close(): void {
    if (this.#over) return;
    this.#settled = true;
    this.#over = {};
    this.#dialog.close();
    this.#options.defer(() => this.#deliver());
  }

  #follow(events: readonly SealEvent[]): void {
    for (const event of events) {
      if (this.#over) return;
      if (event.type === "send") this.#send(event.signal);
      else if (event.type === "peer") this.#authorize(event.publicKey);
      else if (event.type === "established") this.#settle();
      else if (event.type === "failed") this.#refuse(event.error);
      else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(event.body);
      else this.#fail(unread());
    }
    this.#deliver();
  }

  #send(signal: JsonObject): void {
    this.#dialog.send(signal).catch((error: unknown) => this.#fail(toError(error)));
  }

  #authorize(publicKey: string): void {
    const { authorize } = this.#options;
    const answer = (admitted: boolean): void => {
      if (!this.#over) this.#follow(this.#seal.answer(admitted));
    };
    if (authorize) authorize(publicKey, answer);
    else answer(true);
  }

  #settle(error?: Error): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#options.onSettled(error);
  }

  #refuse(error: Error): void {
    if (this.#settled) this.#options.onRefused?.(error);
    this.#fail(error);
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.#dialog.close();
    this.#end(error);
  }

  #end(error?: Error): void {
    if (this.#over) return;
    this.#over = error ? { error } : {};
    this.#settle(error ?? systemError("ECONNRESET", "read"));
    this.#deliver();
  }

  #deliver(): void {
    while (this.#sink && this.#waiting.length > 0) this.#sink.onSignal(this.#waiting.shift()!);
    const sink = this.#sink;
    if (!this.#over || !sink) return;
    this.#sink = undefined;
    sink.onClose(this.#over.error);
  }
}

function unread(): OnetpError {
  return new OnetpError("ERR_1TP_SIGNALING_LIMIT", { detail: "too many signals wait for a reader" });
}
