import { fromBase64Url, toBase64Url } from "../../src/base/bytes.ts";
import { codeOf, nodeError, OnetpError, toError } from "../../src/base/errors.ts";
import type { Instant, Timer } from "../../src/contract/clock.ts";
import type { KeyPair } from "../../src/contract/crypto.ts";
import type { Dialog } from "../../src/contract/dialog.ts";
import { originOf, registrationProof } from "../registrar/proof.ts";
import type { Refusal, RegistrarMessage } from "../registrar/protocol.ts";
import { backOff } from "./back-off.ts";
import { ANSWER_TIMEOUT, type Environment, RegistrarConnection } from "./connection.ts";
import { type DialogCarrier, RegistrarDialog } from "./dialog.ts";
import { refusalError } from "./refusal.ts";
import { Requests } from "./requests.ts";

/** Ms an unused connection is kept for the next dialog; it does not keep the process alive meanwhile (chosen). */
const LINGER = 5_000;

/** Dialogs that others may have opened to us at once; the registrar's own limit is the same. */
const MAX_INCOMING = 1_024;

/** A uid that is to be registered whenever there is a connection. */
export interface Enrolment {
  readonly uid: string;
  readonly keyPair: KeyPair;
  readonly salt: Uint8Array;
  readonly transportType: string;
  /** Keeps the process alive. */
  referenced: boolean;
  onDialog(dialog: Dialog): void;
  /** The registrar has given the uid to somebody newer, or does not take it back. */
  onLost(error: Error): void;
}

type Answer = RegistrarMessage & { readonly type: "challenge" | "registered" };

/**
 * All that one signaling has to do with one registrar, over one connection at a time. While uids are enrolled a
 * lost connection is replaced, for ever; else there is one while somebody needs it.
 */
export class RegistrarLink implements DialogCarrier {
  readonly #url: string;
  readonly #origin: string;
  readonly #token: string | undefined;
  readonly #environment: Environment;
  readonly #enrolments = new Map<string, Enrolment>();
  readonly #dialogs = new Map<number, RegistrarDialog>();
  /** Who waits for a connection. */
  readonly #waiters: Requests<void>;
  readonly #requests: Requests<Answer>;
  readonly #opens: Requests<void>;
  #connection: RegistrarConnection | undefined;
  #timer: Timer | undefined;
  #failures = 0;
  #lastRequest = 0;
  #lastDialog = 0;
  #draining = false;
  #closing: Promise<void> | undefined;
  #onGone: (() => void) | undefined;

  constructor(url: string, token: string | undefined, environment: Environment) {
    this.#url = url.replace(/^http/, "ws");
    this.#origin = originOf(url)!;
    this.#token = token;
    this.#environment = environment;
    this.#waiters = new Requests(environment.clock);
    this.#requests = new Requests(environment.clock);
    this.#opens = new Requests(environment.clock);
  }

  /** Nothing would be lost if it were forgotten. */
  get unused(): boolean {
    return !this.#connection && !this.#wanted;
  }

  /** Resolves when the uid is registered; from then on it stays so until it is withdrawn or lost. */
  async enrol(enrolment: Enrolment): Promise<void> {
    const { uid } = enrolment;
    const until = this.#deadline();
    await this.#connected(until);
    // Already here: dialogs may follow the answer before whoever awaits it goes on.
    const older = this.#enrolments.get(uid);
    this.#enrolments.set(uid, enrolment);
    try {
      await this.#register(enrolment, until);
      older?.onLost(registeredAnew());
    } catch (error) {
      if (older) this.#enrolments.set(uid, older);
      else this.#enrolments.delete(uid);
      throw error;
    } finally {
      this.#settle();
    }
  }

  withdraw(enrolment: Enrolment): void {
    if (this.#enrolments.get(enrolment.uid) !== enrolment) return;
    this.#enrolments.delete(enrolment.uid);
    if (this.#connection?.ready) this.#connection.send({ type: "unregister", uid: enrolment.uid });
    this.#settle();
  }

  async open(uid: string, transportType: string, signal?: AbortSignal): Promise<Dialog> {
    const until = this.#deadline();
    const connection = await this.#connected(until, signal);
    this.#lastDialog++;
    const id = this.#lastDialog;
    const dialog = new RegistrarDialog(id, this);
    this.#dialogs.set(id, dialog);
    this.#settle();
    const opened = this.#opens.ask(id, until, signal);
    connection.send({ type: "open", dialog: id, uid, transportType });
    try {
      await opened;
      return dialog;
    } catch (error) {
      this.endDialog(id);
      throw error;
    }
  }

  sendSignal(dialog: number, body: string): void {
    if (this.#dialogs.has(dialog)) this.#connection?.send({ type: "signal", dialog, body });
  }

  endDialog(dialog: number, refusal?: Refusal): void {
    if (!this.#dialogs.delete(dialog)) return;
    if (this.#connection?.ready) this.#connection.send({ type: "close", dialog, ...refusal });
    this.#settle();
  }

  /** Whether enrolments keep the process alive may have changed. */
  updateRef(): void {
    const referenced =
      this.#dialogs.size + this.#requests.size + this.#waiters.size > 0 ||
      [...this.#enrolments.values()].some((enrolment) => enrolment.referenced);
    this.#connection?.setRef(referenced);
    if (referenced) this.#timer?.ref();
    else this.#timer?.unref();
  }

  /** Ends everything. Resolves when the connection is gone. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#enrolments.clear();
      for (const dialog of [...this.#dialogs.values()]) dialog.close();
      this.#disarm();
      this.#onGone = resolve;
      if (this.#connection) this.#connection.close(closedError());
      else resolve();
    });
    return this.#closing;
  }

  get #wanted(): boolean {
    return this.#enrolments.size + this.#dialogs.size + this.#requests.size + this.#waiters.size > 0;
  }

  #deadline(): Instant {
    return this.#environment.clock.now() + ANSWER_TIMEOUT;
  }

  /** Resolves when the registrar has greeted; rejects if this attempt to reach it fails. */
  async #connected(until: Instant, signal?: AbortSignal): Promise<RegistrarConnection> {
    if (this.#closing) throw closedError();
    if (!this.#connection?.ready) {
      this.#lastRequest++;
      const connected = this.#waiters.ask(this.#lastRequest, until, signal);
      this.#connect();
      await connected;
    }
    signal?.throwIfAborted();
    if (!this.#connection) throw refusalError({ code: "lost" });
    return this.#connection;
  }

  #connect(): void {
    this.#disarm();
    this.#connection ??= new RegistrarConnection(this.#url, this.#token, this.#environment, {
      onReady: () => this.#onReady(),
      onMessage: (message) => this.#receive(message),
      onClose: (error) => this.#onClose(error),
    });
    this.updateRef();
  }

  #onReady(): void {
    this.#waiters.answerAll();
    for (const enrolment of this.#enrolments.values()) void this.#renew(enrolment);
    this.#settle();
  }

  #onClose(error: Error): void {
    this.#connection = undefined;
    this.#draining = false;
    this.#waiters.failAll(error);
    this.#requests.failAll(error);
    this.#opens.failAll(error);
    for (const dialog of this.#dialogs.values()) dialog.end(error);
    this.#dialogs.clear();
    this.#disarm();
    this.#onGone?.();
    if (this.#enrolments.size === 0) return;
    const delay = backOff(this.#failures, this.#environment.random);
    this.#failures++;
    this.#arm(delay, () => this.#connect());
  }

  async #register(enrolment: Enrolment, until: Instant): Promise<void> {
    const { uid, keyPair, salt, transportType } = enrolment;
    const { crypto, random } = this.#environment;
    this.#lastRequest++;
    const request = this.#lastRequest;
    const challenged = this.#requests.ask(request, until);
    this.#connection!.send({ type: "challenge", request });
    const answer = await challenged;
    const ephemeral = fromBase64Url(answer.type === "challenge" ? answer.ephemeral : "")!;
    const nonce = random.fill(new Uint8Array(16));
    const context = { origin: this.#origin, ephemeral, nonce, uid };
    const proof = registrationProof(crypto, keyPair, ephemeral, context);
    const connection = this.#connection;
    if (!proof || !connection) throw refusalError({ code: "unproved", text: "its key is unusable" });
    const registered = this.#requests.ask(request, until);
    connection.send({
      type: "register",
      request,
      publicKey: toBase64Url(keyPair.publicKey),
      salt: toBase64Url(salt),
      nonce: toBase64Url(nonce),
      origin: this.#origin,
      transportType,
      proof: toBase64Url(proof),
    });
    await registered;
    this.#failures = 0;
  }

  /** After a reconnect: the same uid. What time may heal is tried again with the next connection. */
  async #renew(enrolment: Enrolment): Promise<void> {
    const { uid } = enrolment;
    const connection = this.#connection;
    try {
      await this.#register(enrolment, this.#deadline());
      // Withdrawn meanwhile.
      if (!this.#enrolments.has(uid)) connection?.send({ type: "unregister", uid });
    } catch (error) {
      if (codeOf(error) === "ERR_1TP_SIGNALING_REFUSED") this.#lose(uid, toError(error));
      else if (connection === this.#connection) connection?.close(toError(error));
    }
    this.#settle();
  }

  #lose(uid: string, error: Error): void {
    const enrolment = this.#enrolments.get(uid);
    this.#enrolments.delete(uid);
    enrolment?.onLost(error);
    this.#settle();
  }

  #receive(message: RegistrarMessage): void {
    switch (message.type) {
      case "signal":
        this.#dialogs.get(message.dialog)?.receive(message.body);
        break;
      case "challenge":
      case "registered":
        this.#requests.answer(message.request, message);
        break;
      case "refused":
        this.#requests.fail(message.request, refusalError(message));
        break;
      case "opened":
        this.#opens.answer(message.dialog);
        break;
      case "close":
        this.#onDialogClose(message.dialog, message.code && { code: message.code, text: message.text });
        break;
      case "incoming":
        this.#incoming(message.dialog, message.uid);
        break;
      case "replaced":
        this.#lose(message.uid, registeredAnew());
        break;
      case "draining":
        this.#draining = true;
        this.#settle();
    }
  }

  #onDialogClose(id: number, refusal: Refusal | undefined): void {
    const error = refusal && refusalError(refusal);
    const dialog = this.#dialogs.get(id);
    this.#dialogs.delete(id);
    this.#opens.fail(id, error ?? refusalError({ code: "lost" }));
    dialog?.end(error);
    this.#settle();
  }

  #incoming(id: number, uid: string): void {
    const enrolment = this.#enrolments.get(uid);
    if (id >= 0 || this.#dialogs.has(id)) return;
    if (!enrolment || this.#dialogs.size >= MAX_INCOMING) {
      this.#connection?.send({ type: "close", dialog: id });
      return;
    }
    const dialog = new RegistrarDialog(id, this);
    this.#dialogs.set(id, dialog);
    this.#settle();
    enrolment.onDialog(dialog);
  }

  /** After every change of what the connection is needed for. */
  #settle(): void {
    const connection = this.#connection;
    if (this.#closing) return;
    if (connection && this.#draining && this.#dialogs.size === 0) connection.close(closedError());
    else if (this.#wanted ? connection : !connection) this.#disarm();
    else if (connection && !this.#timer) this.#arm(LINGER, () => connection.close(closedError()));
    this.updateRef();
  }

  #arm(delay: number, fire: () => void): void {
    const { clock } = this.#environment;
    this.#timer = clock.setTimer(clock.now() + delay, () => {
      this.#timer = undefined;
      fire();
    });
    this.updateRef();
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

function closedError(): Error {
  return nodeError("ERR_STREAM_DESTROYED", "The signaling is closed");
}

function registeredAnew(): Error {
  return new OnetpError("ERR_1TP_SIGNALING_REFUSED", { detail: "the uid is registered anew" });
}
