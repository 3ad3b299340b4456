import { crypto, nextTurn, runtime } from "#platform";
import { fromBase64Url, toBase64Url } from "../../src/base/bytes.ts";
import { nodeError, OnetpError, systemError } from "../../src/base/errors.ts";
import { checkSalt, deriveUid, isUid, SALT_LENGTH } from "../../src/base/uid.ts";
import type { Instant } from "../../src/contract/clock.ts";
import type {
  Dialog,
  RegisterOptions,
  Registration,
  Signaling,
  SignalingAddress,
  SignalingServices,
} from "../../src/contract/dialog.ts";
import type { Endpoint, JsonObject } from "../../src/contract/endpoint.ts";
import type { MessageLane } from "../../src/contract/message-lane.ts";
import type { Environment } from "../websocket/connection.ts";
import { Requests } from "../websocket/requests.ts";
import { Visit } from "../websocket/visit.ts";
import { LaneLink } from "./lane-link.ts";
import { INTRODUCER_LANE } from "./wire.ts";

const TYPE = "introducer-signaling";

/** How long an introducer may take to answer, in ms, and a socket to connect (DESIGN §9). */
const ANSWER_TIMEOUT = 5_000;

const visits = new WeakMap<IntroducingSocket, number>();

/** What an introducer is reached by: a 1tp Socket. */
export interface IntroducingSocket {
  readonly connecting: boolean;
  readonly remotePublicKey: string | undefined;
  readonly remoteAddress: Endpoint | undefined;
  lane(number: number): MessageLane | undefined;
  once(event: "connect" | "close", listener: () => void): unknown;
  off(event: "connect" | "close", listener: () => void): unknown;
}

/** A uid at the introducer. */
interface Enrolment {
  onDialog(dialog: Dialog): void;
  onLost(error: Error): void;
}

/** Whom one stay at an introducer concerns besides those who use it. */
export interface StaySink {
  /** The introducer has ended the visit, or the connection is gone; registrations hear of it afterwards. */
  onGone(): void;
  /** `busy` may have changed. */
  onChange(): void;
}

/** The introducer's key in an address of ours that is well-formed; undefined for any other. */
export function introducerIn(address: JsonObject): string | undefined {
  if (address?.type !== TYPE || !isUid(address.uid)) return undefined;
  const { introducer } = address;
  return typeof introducer === "string" && fromBase64Url(introducer)?.length === 32 ? introducer : undefined;
}

/** Dialogs through the server at the other end of one socket, which stays its owner's: all ends with it. */
export class SocketSignaling implements Signaling {
  readonly #socket: IntroducingSocket;
  readonly #sink: StaySink | undefined;
  readonly #enrolments = new Map<string, Enrolment>();
  /** Who waits for the socket, or for the introducer's greeting. */
  readonly #waiters = new Requests<void>(runtime.clock);
  #introducer: string | undefined;
  #visit: Visit | undefined;
  #watching = false;
  #lastRequest = 0;
  #closing: Promise<void> | undefined;
  #onGone: (() => void) | undefined;

  constructor(socket: IntroducingSocket, sink?: StaySink) {
    this.#socket = socket;
    this.#sink = sink;
  }

  /** Something would be lost by leaving now, registrations aside. */
  get busy(): boolean {
    return this.#waiters.size > 0 || this.#visit?.busy === true;
  }

  /** While the socket connects it is not known yet who the introducer is. */
  accepts(address: JsonObject): boolean {
    const introducer = introducerIn(address);
    if (introducer === undefined) return false;
    return this.#key === undefined ? this.#socket.connecting : introducer === this.#key;
  }

  async register(options: RegisterOptions): Promise<Registration> {
    checkSalt(options.salt);
    const { transportType, keyPair, salt = runtime.random.fill(new Uint8Array(SALT_LENGTH)) } = options;
    const until = deadline();
    const visit = await this.#connected(until);
    const request = this.#nextRequest();
    const question = { type: "enrol", request, salt: toBase64Url(salt), transportType } as const;
    const { uid } = await visit.ask(question, "registered", until);
    if (keyPair && uid !== deriveUid(crypto, keyPair.publicKey, salt)) {
      visit.unregister(uid);
      const detail = "the socket to the introducer has another identity: give it that of the server";
      throw new OnetpError("ERR_1TP_SIGNALING_REFUSED", { detail });
    }
    const enrolment: Enrolment = {
      onDialog: (dialog) => nextTurn(() => options.onDialog(dialog)),
      onLost: (error) => nextTurn(() => options.onClose?.(error)),
    };
    this.#enrolments.get(uid)?.onLost(registeredAnew());
    this.#enrolments.set(uid, enrolment);
    return {
      address: { type: TYPE, uid, introducer: this.#key! },
      close: () => this.#withdraw(uid, enrolment),
      // The socket keeps the process alive, or not, as its owner wants.
      ref() {},
      unref() {},
    };
  }

  async open(address: SignalingAddress, transportType: string, signal?: AbortSignal): Promise<Dialog> {
    signal?.throwIfAborted();
    const until = deadline();
    if (!this.accepts(address)) throw new OnetpError("ERR_1TP_BAD_ADDRESS");
    const visit = await this.#connected(until, signal);
    if (!this.accepts(address)) throw new OnetpError("ERR_1TP_BAD_ADDRESS");
    return visit.open(address.uid, transportType, until, signal);
  }

  /** Where the introducer answers STUN, the way we reach it first. */
  async services(signal?: AbortSignal): Promise<SignalingServices> {
    const until = deadline();
    const visit = await this.#connected(until, signal);
    const request = this.#nextRequest();
    const { stun } = await visit.ask({ type: "services", request }, "services", until, signal);
    const uris = stun.map(({ host = "", port }) => stunUri(host, port));
    const { transportType, transportInfo } = this.#socket.remoteAddress ?? {};
    const { address, port } = transportInfo ?? {};
    if (uris.length > 0 && transportType === "udp") uris.unshift(stunUri(`${address}`, Number(port)));
    return { stun: [...new Set(uris)], turn: [], observedAddress: visit.observedAddress };
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#enrolments.clear();
      this.#waiters.failAll(closedError());
      this.#onGone = resolve;
      if (this.#visit) this.#visit.close(closedError());
      else resolve();
    });
    return this.#closing;
  }

  /** The key of the introducer, once the socket has connected; the last one's while it connects anew. */
  get #key(): string | undefined {
    this.#introducer = this.#socket.remotePublicKey ?? this.#introducer;
    return this.#introducer;
  }

  #withdraw(uid: string, enrolment: Enrolment): void {
    if (this.#enrolments.get(uid) !== enrolment) return;
    this.#enrolments.delete(uid);
    this.#visit?.unregister(uid);
  }

  /** Resolves when the introducer has greeted. */
  async #connected(until: Instant, signal?: AbortSignal): Promise<Visit> {
    if (this.#closing) throw closedError();
    if (this.#socket.connecting) {
      this.#watchSocket();
      await this.#wait(until, signal);
    }
    this.#visit ??= this.#newVisit();
    if (!this.#visit.ready) await this.#wait(until, signal);
    signal?.throwIfAborted();
    if (this.#closing) throw closedError();
    if (!this.#visit) throw systemError("ECONNRESET", "read");
    return this.#visit;
  }

  #nextRequest(): number {
    this.#lastRequest++;
    return this.#lastRequest;
  }

  #wait(until: Instant, signal?: AbortSignal): Promise<void> {
    return this.#waiters.ask(this.#nextRequest(), until, signal);
  }

  /** Has everybody who waits look again once the socket has connected, or will never do. */
  #watchSocket(): void {
    if (this.#watching) return;
    this.#watching = true;
    const settle = (): void => {
      this.#watching = false;
      this.#socket.off("connect", settle);
      this.#socket.off("close", settle);
      this.#waiters.answerAll();
    };
    this.#socket.once("connect", settle);
    this.#socket.once("close", settle);
  }

  /** @throws with a code if the socket has no lane. */
  #newVisit(): Visit {
    const lane = this.#socket.lane(INTRODUCER_LANE);
    if (!lane) {
      const { remoteAddress, remotePublicKey } = this.#socket;
      const plain = remoteAddress !== undefined && remotePublicKey === undefined;
      if (!plain) throw systemError("ENOTCONN", "signal");
      const detail = "introductions need a session, and the socket has security 'none'";
      throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail });
    }
    const number = nextVisit(this.#socket);
    const { clock, random } = runtime;
    const open: Environment["open"] = (_url, sink) => new LaneLink(lane, number, sink);
    const environment = { clock, random, crypto, open };
    const options = { url: "", token: undefined, environment, greetingTimeout: ANSWER_TIMEOUT };
    const visit: Visit = new Visit(options, {
      onReady: () => this.#waiters.answerAll(),
      onReplaced: (uid) => this.#lose(uid, registeredAnew()),
      onDraining() {},
      onDialog: (uid, dialog) => {
        const enrolment = this.#enrolments.get(uid);
        enrolment?.onDialog(dialog);
        return enrolment !== undefined;
      },
      // Timers of its own keep no process alive: whoever waits has one.
      onChange: () => {
        visit.setRef(visit.busy);
        this.#sink?.onChange();
      },
      onClose: (error) => this.#onClose(error),
    });
    visit.setRef(false);
    return visit;
  }

  #onClose(error: Error): void {
    this.#visit = undefined;
    this.#sink?.onGone();
    this.#waiters.failAll(error);
    for (const uid of [...this.#enrolments.keys()]) this.#lose(uid, error);
    this.#onGone?.();
  }

  #lose(uid: string, error: Error): void {
    const enrolment = this.#enrolments.get(uid);
    this.#enrolments.delete(uid);
    enrolment?.onLost(error);
  }
}

/** Visits over one socket have different numbers for long, whichever signaling makes them. */
function nextVisit(socket: IntroducingSocket): number {
  const number = ((visits.get(socket) ?? 0) + 1) & 0xff;
  visits.set(socket, number);
  return number;
}

function deadline(): Instant {
  return runtime.clock.now() + ANSWER_TIMEOUT;
}

function stunUri(host: string, port: number): string {
  return `stun:${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function closedError(): Error {
  return nodeError("ERR_STREAM_DESTROYED", "The signaling is closed");
}

function registeredAnew(): Error {
  return new OnetpError("ERR_1TP_SIGNALING_REFUSED", { detail: "the uid is registered anew" });
}
