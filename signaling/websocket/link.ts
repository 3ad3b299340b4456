import { backOff } from "../../src/base/back-off.ts";
import { fromBase64Url, toBase64Url } from "../../src/base/bytes.ts";
import { codeOf, nodeError, OnetpError, toError } from "../../src/base/errors.ts";
import type { Instant, Timer } from "../../src/contract/clock.ts";
import type { KeyPair } from "../../src/contract/crypto.ts";
import type { Dialog, SignalingServices } from "../../src/contract/dialog.ts";
import { registrationProof } from "../registrar/proof.ts";
import type { Environment } from "./connection.ts";
import { refusalError } from "./refusal.ts";
import { Requests } from "./requests.ts";
import { Visit } from "./visit.ts";

/** How long a registrar may take to answer, in ms (DESIGN §9). */
const ANSWER_TIMEOUT = 5_000;

/** The least of it that is for connecting where several URLs share it, in ms (chosen: a slow network's round trip, twice). */
const LEAST_GREETING_TIMEOUT = 1_000;

/** Ms an unused connection is kept for the next dialog; it does not keep the process alive meanwhile (chosen). */
const LINGER = 5_000;

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

/**
 * All that one signaling has to do with one registrar, or with several that share a directory: one of them at a time. While
 * uids are enrolled a lost connection is replaced, for ever; else there is one while somebody needs it.
 */
export class RegistrarLink {
  readonly #urls: readonly string[];
  readonly #token: string | undefined;
  readonly #environment: Environment;
  readonly #enrolments = new Map<string, Enrolment>();
  /** Who waits for a connection. */
  readonly #waiters: Requests<void>;
  /** Which of the URLs is next. */
  #turn = 0;
  /** URLs in a row that could not be reached. */
  #unreached = 0;
  #visit: Visit | undefined;
  /** At registrars that drain, until their dialogs have ended. */
  readonly #leaving = new Set<Visit>();
  #timer: Timer | undefined;
  #failures = 0;
  #lastRequest = 0;
  #closing: Promise<void> | undefined;
  #onGone: (() => void) | undefined;

  constructor(urls: readonly string[], token: string | undefined, environment: Environment) {
    this.#urls = urls;
    this.#token = token;
    this.#environment = environment;
    this.#waiters = new Requests(environment.clock);
  }

  /** Nothing would be lost if it were forgotten. */
  get unused(): boolean {
    return !this.#visit && this.#leaving.size === 0 && !this.#wanted;
  }

  /** Resolves with the URL at which the uid is registered; from then on it stays so until it is withdrawn or lost. */
  async enrol(enrolment: Enrolment): Promise<string> {
    const { uid } = enrolment;
    const until = this.#deadline();
    const visit = await this.#connected(until);
    // Already here: dialogs may follow the answer before whoever awaits it goes on.
    const older = this.#enrolments.get(uid);
    this.#enrolments.set(uid, enrolment);
    try {
      await this.#register(visit, enrolment, until);
      older?.onLost(registeredAnew());
      return visit.url;
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
    this.#visit?.unregister(enrolment.uid);
    this.#settle();
  }

  async open(uid: string, transportType: string, signal?: AbortSignal): Promise<Dialog> {
    const until = this.#deadline();
    const visit = await this.#connected(until, signal);
    return visit.open(uid, transportType, until, signal);
  }

  /** What the registrar offers besides dialogs. */
  async services(signal?: AbortSignal): Promise<SignalingServices> {
    const until = this.#deadline();
    const visit = await this.#connected(until, signal);
    const question = { type: "services", request: this.#nextRequest() } as const;
    const { stun, turn } = await visit.ask(question, "services", until, signal);
    const { hostname } = new URL(visit.url);
    return {
      stun: stun.map(({ host = hostname, port }) => `stun:${bracketed(host)}:${port}`),
      turn: turn.map(({ uris, username, password }) => ({ uris, username, password })),
      observedAddress: visit.observedAddress,
    };
  }

  /** Whether enrolments keep the process alive may have changed. */
  updateRef(): void {
    const enrolled = [...this.#enrolments.values()].some((enrolment) => enrolment.referenced);
    const referenced = enrolled || this.#waiters.size > 0;
    this.#visit?.setRef(referenced || this.#visit.referenced);
    for (const visit of this.#leaving) visit.setRef(visit.referenced);
    if (referenced) this.#timer?.ref();
    else this.#timer?.unref();
  }

  /** Ends everything. Resolves when the connection is gone. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      for (const enrolment of [...this.#enrolments.values()]) this.withdraw(enrolment);
      this.#disarm();
      this.#onGone = resolve;
      this.#visit?.close(closedError());
      for (const visit of this.#leaving) visit.close(closedError());
      this.#tellGone();
    });
    return this.#closing;
  }

  get #wanted(): boolean {
    return this.#enrolments.size + this.#waiters.size > 0 || this.#visit?.busy === true;
  }

  #deadline(): Instant {
    return this.#environment.clock.now() + ANSWER_TIMEOUT;
  }

  #nextRequest(): number {
    this.#lastRequest++;
    return this.#lastRequest;
  }

  /** Resolves when a registrar has greeted; rejects if none of them can be reached now. */
  async #connected(until: Instant, signal?: AbortSignal): Promise<Visit> {
    if (this.#closing) throw closedError();
    if (!this.#visit?.ready) {
      const connected = this.#waiters.ask(this.#nextRequest(), until, signal);
      this.#connect();
      await connected;
    }
    signal?.throwIfAborted();
    if (!this.#visit) throw refusalError({ code: "lost" });
    return this.#visit;
  }

  #connect(): void {
    this.#disarm();
    try {
      this.#visit ??= this.#newVisit();
      this.updateRef();
    } catch (cause) {
      // The platform does not open such a URL.
      this.#unreached++;
      this.#moveOn(new OnetpError("ERR_1TP_BAD_ADDRESS", { detail: toError(cause).message, cause }));
    }
  }

  #newVisit(): Visit {
    const options = {
      url: this.#urls[this.#turn]!,
      token: this.#token,
      environment: this.#environment,
      greetingTimeout: Math.max(LEAST_GREETING_TIMEOUT, ANSWER_TIMEOUT / this.#urls.length),
    };
    const visit: Visit = new Visit(options, {
      onReady: () => this.#onReady(visit),
      onReplaced: (uid) => visit === this.#visit && this.#lose(uid, registeredAnew()),
      onDraining: () => this.#onDraining(visit),
      onDialog: (uid, dialog) => {
        const enrolment = this.#enrolments.get(uid);
        enrolment?.onDialog(dialog);
        return enrolment !== undefined;
      },
      onChange: () => this.#settle(),
      onClose: (error) => this.#onClose(visit, error),
    });
    return visit;
  }

  #onReady(visit: Visit): void {
    this.#unreached = 0;
    this.#waiters.answerAll();
    for (const enrolment of this.#enrolments.values()) void this.#renew(visit, enrolment);
    this.#settle();
  }

  /** Its dialogs may end there; all else goes on elsewhere. */
  #onDraining(visit: Visit): void {
    if (visit !== this.#visit) return;
    this.#leave(visit);
    this.#moveOn();
    this.#settle();
  }

  /** It ends when nothing of it is needed any more. */
  #leave(visit: Visit): void {
    this.#visit = undefined;
    this.#leaving.add(visit);
  }

  #onClose(visit: Visit, error: Error): void {
    if (!this.#leaving.delete(visit)) {
      this.#visit = undefined;
      this.#unreached++;
      this.#moveOn(error);
    }
    this.#tellGone();
  }

  /** The current registrar is lost, or not to be had: the next one, at once as long as somebody waits. */
  #moveOn(error?: Error): void {
    this.#disarm();
    this.#turn = (this.#turn + 1) % this.#urls.length;
    if (this.#closing) {
      this.#waiters.failAll(closedError());
      return;
    }
    if (this.#waiters.size > 0 && this.#unreached < this.#urls.length) {
      this.#connect();
      return;
    }
    this.#unreached = 0;
    if (error) this.#waiters.failAll(error);
    if (this.#enrolments.size === 0) return;
    const delay = backOff(this.#failures, this.#environment.random);
    this.#failures++;
    this.#arm(delay, () => this.#connect());
  }

  async #register(visit: Visit, enrolment: Enrolment, until: Instant): Promise<void> {
    const { uid, keyPair, salt, transportType } = enrolment;
    const { crypto, random } = this.#environment;
    const { origin } = visit;
    const request = this.#nextRequest();
    const challenge = await visit.ask({ type: "challenge", request }, "challenge", until);
    const ephemeral = fromBase64Url(challenge.ephemeral)!;
    const nonce = random.fill(new Uint8Array(16));
    const context = { origin, ephemeral, nonce, uid };
    const proof = registrationProof(crypto, keyPair, ephemeral, context);
    if (!proof) throw refusalError({ code: "unproved", text: "its key is unusable" });
    const shown = {
      publicKey: toBase64Url(keyPair.publicKey),
      salt: toBase64Url(salt),
      nonce: toBase64Url(nonce),
      origin,
      transportType,
      proof: toBase64Url(proof),
    };
    await visit.ask({ type: "register", request, ...shown }, "registered", until);
    this.#failures = 0;
  }

  /** After a reconnect: the same uid. What time may heal is tried again with the next connection. */
  async #renew(visit: Visit, enrolment: Enrolment): Promise<void> {
    const { uid } = enrolment;
    try {
      await this.#register(visit, enrolment, this.#deadline());
      // Withdrawn meanwhile.
      if (!this.#enrolments.has(uid)) visit.unregister(uid);
    } catch (error) {
      if (codeOf(error) === "ERR_1TP_SIGNALING_REFUSED") this.#lose(uid, toError(error));
      else if (visit === this.#visit) this.#abandon(visit, toError(error));
    }
    this.#settle();
  }

  #abandon(visit: Visit, error: Error): void {
    this.#leave(visit);
    visit.close(error);
    this.#moveOn(error);
  }

  #lose(uid: string, error: Error): void {
    const enrolment = this.#enrolments.get(uid);
    this.#enrolments.delete(uid);
    enrolment?.onLost(error);
    this.#settle();
  }

  /** After every change of what the connections are needed for. */
  #settle(): void {
    if (this.#closing) return;
    for (const left of this.#leaving) if (!left.busy) left.close(closedError());
    const visit = this.#visit;
    if (this.#wanted ? visit : !visit) this.#disarm();
    else if (visit && !this.#timer) this.#arm(LINGER, () => this.#rest(visit));
    this.updateRef();
  }

  #rest(visit: Visit): void {
    this.#leave(visit);
    this.#settle();
  }

  #tellGone(): void {
    if (!this.#visit && this.#leaving.size === 0) this.#onGone?.();
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

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

function closedError(): Error {
  return nodeError("ERR_STREAM_DESTROYED", "The signaling is closed");
}

function registeredAnew(): Error {
  return new OnetpError("ERR_1TP_SIGNALING_REFUSED", { detail: "the uid is registered anew" });
}
