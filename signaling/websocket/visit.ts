import { OnetpError } from "../../src/base/errors.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { Instant } from "../../src/contract/clock.ts";
import type { Dialog } from "../../src/contract/dialog.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import { originOf } from "../registrar/proof.ts";
import type { ClientMessage, Refusal, RegistrarMessage } from "../registrar/protocol.ts";
import { type Environment, RegistrarConnection } from "./connection.ts";
import { type DialogCarrier, RegistrarDialog } from "./dialog.ts";
import { refusalError } from "./refusal.ts";
import { Relays } from "./relays.ts";
import { Requests } from "./requests.ts";

/** Dialogs that others may have opened to us at once; the registrar's own limit is the same. */
const MAX_INCOMING = 1_024;

/** How a visit reaches its registrar. */
export interface VisitOptions {
  readonly url: string;
  readonly token: string | undefined;
  readonly environment: Environment;
  /** Ms the registrar may take to greet. */
  readonly greetingTimeout: number;
}

/** Receives what a visit brings. */
export interface VisitSink {
  onReady(): void;
  /** A newer registration has the uid. */
  onReplaced(uid: string): void;
  /** The registrar is about to stop. */
  onDraining(): void;
  /** Somebody asks for a uid. False: it is not here. */
  onDialog(uid: string, dialog: Dialog): boolean;
  /** `busy` may have changed. */
  onChange(): void;
  /** Exactly once, last; dialogs and requests have ended with that error. */
  onClose(error: Error): void;
}

type Answer = RegistrarMessage & { readonly type: "challenge" | "registered" | "services" };
type Question = ClientMessage & { readonly type: "challenge" | "enrol" | "register" | "services" };

/** One stay at a registrar: a connection, what was asked over it, and the dialogs over it. */
export class Visit implements DialogCarrier {
  /** Present where the registrar relays. */
  relay?: (dialog: number, remote: Endpoint) => Channel;
  readonly url: string;
  /** What proofs name the registrar by. */
  readonly origin: string;
  readonly #connection: RegistrarConnection;
  readonly #sink: VisitSink;
  readonly #dialogs = new Map<number, RegistrarDialog>();
  readonly #opens: Requests<string | undefined>;
  readonly #requests: Requests<Answer>;
  readonly #relays: Relays;
  #lastDialog = 0;

  constructor({ url, token, environment, greetingTimeout }: VisitOptions, sink: VisitSink) {
    this.url = url;
    this.origin = originOf(url)!;
    this.#sink = sink;
    this.#opens = new Requests(environment.clock);
    this.#requests = new Requests(environment.clock);
    this.#connection = new RegistrarConnection(
      { url, token, environment, greetingTimeout },
      {
        onReady: () => this.#onReady(),
        onMessage: (message) => this.#receive(message),
        onRelayed: (frame) => this.#relays.receive(frame),
        onDrain: () => this.#relays.drained(),
        onClose: (error) => this.#onClose(error),
      },
    );
    this.#relays = new Relays(this.#connection, () => sink.onChange());
  }

  get ready(): boolean {
    return this.#connection.ready;
  }

  /** Where the registrar sees us, once it has greeted. */
  get observedAddress(): string | undefined {
    return this.#connection.observedAddress;
  }

  /** Something would be lost by leaving now. */
  get busy(): boolean {
    return this.#dialogs.size + this.#requests.size + this.#relays.size > 0;
  }

  /** Something that is under way keeps the process alive. */
  get referenced(): boolean {
    return this.#dialogs.size + this.#requests.size > 0 || this.#relays.referenced;
  }

  /** Asks, once the registrar has greeted. Rejects as it refuses, with ETIMEDOUT, or the reason of `signal`. */
  async ask<Type extends Answer["type"]>(
    question: Question,
    type: Type,
    until: Instant,
    signal?: AbortSignal,
  ): Promise<Answer & { readonly type: Type }> {
    const answered = this.#requests.ask(question.request, until, signal);
    this.#connection.send(question);
    this.#sink.onChange();
    try {
      const answer = await answered;
      if (answer.type === type) return answer as Answer & { readonly type: Type };
      throw new OnetpError("ERR_1TP_SIGNALING_REFUSED", { detail: "it answered something else" });
    } finally {
      this.#sink.onChange();
    }
  }

  unregister(uid: string): void {
    this.#send({ type: "unregister", uid });
  }

  async open(uid: string, transportType: string, until: Instant, signal?: AbortSignal): Promise<Dialog> {
    this.#lastDialog++;
    const id = this.#lastDialog;
    const dialog = new RegistrarDialog(id, this);
    this.#dialogs.set(id, dialog);
    this.#sink.onChange();
    const opened = this.#opens.ask(id, until, signal);
    this.#connection.send({ type: "open", dialog: id, uid, transportType });
    try {
      dialog.observedAddress = await opened;
      return dialog;
    } catch (error) {
      this.endDialog(id);
      throw error;
    }
  }

  sendSignal(dialog: number, body: string): void {
    if (this.#dialogs.has(dialog)) this.#send({ type: "signal", dialog, body });
  }

  endDialog(dialog: number, refusal?: Refusal): void {
    if (!this.#dialogs.delete(dialog)) return;
    this.#send({ type: "close", dialog, ...refusal });
    this.#sink.onChange();
  }

  setRef(referenced: boolean): void {
    this.#connection.setRef(referenced);
  }

  /** Ends the dialogs in good order, then the connection; `onClose` follows with that error. */
  close(error: Error): void {
    for (const dialog of [...this.#dialogs.values()]) dialog.close();
    this.#connection.close(error);
  }

  #send(message: ClientMessage): void {
    if (this.#connection.ready) this.#connection.send(message);
  }

  #onReady(): void {
    if (this.#connection.relays) this.relay = (dialog, remote) => this.#relays.open(dialog, remote);
    this.#sink.onReady();
  }

  #receive(message: RegistrarMessage): void {
    switch (message.type) {
      case "signal":
        this.#dialogs.get(message.dialog)?.receive(message.body);
        break;
      case "challenge":
      case "registered":
      case "services":
        this.#requests.answer(message.request, message);
        break;
      case "refused":
        this.#requests.fail(message.request, refusalError(message));
        break;
      case "opened":
        this.#opens.answer(message.dialog, message.address);
        break;
      case "close":
        this.#onDialogClose(message.dialog, message.code && { code: message.code, text: message.text });
        break;
      case "incoming":
        this.#incoming(message);
        break;
      case "relay":
        this.#relays.join(message.dialog);
        break;
      case "replaced":
        this.#sink.onReplaced(message.uid);
        break;
      case "draining":
        this.#sink.onDraining();
    }
  }

  #onDialogClose(id: number, refusal: Refusal | undefined): void {
    const error = refusal && refusalError(refusal);
    const dialog = this.#dialogs.get(id);
    this.#dialogs.delete(id);
    this.#opens.fail(id, error ?? refusalError({ code: "lost" }));
    dialog?.end(error);
    this.#sink.onChange();
  }

  #incoming({ dialog: id, uid, address }: RegistrarMessage & { type: "incoming" }): void {
    if (id >= 0 || this.#dialogs.has(id)) return;
    const dialog = new RegistrarDialog(id, this, address);
    this.#dialogs.set(id, dialog);
    if (this.#dialogs.size > MAX_INCOMING || !this.#sink.onDialog(uid, dialog)) this.endDialog(id);
    else this.#sink.onChange();
  }

  #onClose(error: Error): void {
    this.#requests.failAll(error);
    this.#opens.failAll(error);
    for (const dialog of this.#dialogs.values()) dialog.end(error);
    this.#dialogs.clear();
    this.#relays.lose(error);
    this.#sink.onClose(error);
  }
}
