import { OnetpError, systemError } from "../../src/base/errors.ts";
import type { Clock, Timer } from "../../src/contract/clock.ts";
import type { Crypto } from "../../src/contract/crypto.ts";
import type { Random } from "../../src/contract/runtime.ts";
import type { WebSocketClose, WebSocketLink, WebSocketSink } from "../../src/contract/web-socket.ts";
import {
  type ClientMessage,
  decodeRegistrarMessage,
  encodeMessage,
  PROTOCOL_VERSION,
  type RegistrarMessage,
} from "../registrar/protocol.ts";
import { usableAddress } from "./dialog.ts";
import { closeError } from "./refusal.ts";

/** Ms between pings (chosen: below the 30 s after which the strictest proxies drop a silent connection). */
const PING_INTERVAL = 25_000;

/** How long a pong may take, in ms. */
const PONG_TIMEOUT = 10_000;

/** What connections to registrars stand on; the platform's, or a test's. */
export interface Environment {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  open(url: string, sink: WebSocketSink): WebSocketLink;
}

/** How to reach a registrar. */
export interface ConnectionOptions {
  readonly url: string;
  readonly token: string | undefined;
  readonly environment: Environment;
  /** Ms from the first packet to the greeting. */
  readonly greetingTimeout: number;
}

/** Receives what one connection brings. */
export interface ConnectionSink {
  /** The registrar has greeted. */
  onReady(): void;
  onMessage(message: RegistrarMessage): void;
  onRelayed(frame: Uint8Array): void;
  /** Nothing is lent any more. */
  onDrain(): void;
  /** Exactly once, last. */
  onClose(error: Error): void;
}

/** One WebSocket to a registrar: greeting, keepalive, and frames as messages. */
export class RegistrarConnection {
  readonly #environment: Environment;
  readonly #sink: ConnectionSink;
  readonly #link: WebSocketLink;
  #timer: Timer;
  #referenced = true;
  #failure: Error | undefined;
  #awaitsPong = false;
  #ready = false;
  #observedAddress: string | undefined;
  #relays = false;

  constructor({ url, token, environment, greetingTimeout }: ConnectionOptions, sink: ConnectionSink) {
    this.#environment = environment;
    this.#sink = sink;
    this.#link = environment.open(url.replace(/^http/, "ws"), {
      onOpen: () => this.send({ type: "hello", version: PROTOCOL_VERSION, ...(token ? { token } : {}) }),
      onMessage: (frame) => this.#receive(frame),
      onDrain: () => sink.onDrain(),
      onClose: (close) => this.#closed(close),
    });
    this.#timer = this.#after(greetingTimeout, () => this.#fail(systemError("ETIMEDOUT", "connect")));
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** Where the registrar sees us, once it has greeted. */
  get observedAddress(): string | undefined {
    return this.#observedAddress;
  }

  /** The registrar relays. */
  get relays(): boolean {
    return this.#relays;
  }

  /** What was relayed may still be read, and nothing more should be now. */
  get lent(): boolean {
    return this.#link.lent ?? false;
  }

  sendRelayed(frame: Uint8Array): void {
    this.#link.send(frame);
  }

  send(message: ClientMessage): void {
    this.#link.send(encodeMessage(message));
  }

  /** Ends it in good order; `onClose` follows with that error. */
  close(error: Error): void {
    this.#failure ??= error;
    this.#link.close(1000, "");
  }

  /** Whether it keeps the process alive. */
  setRef(referenced: boolean): void {
    this.#referenced = referenced;
    if (referenced) this.#link.ref();
    else this.#link.unref();
    if (referenced) this.#timer.ref();
    else this.#timer.unref();
  }

  #receive(frame: string | Uint8Array): void {
    if (this.#failure) return;
    this.#awaitsPong = false;
    if (typeof frame !== "string" && this.#relays) {
      this.#sink.onRelayed(frame);
      return;
    }
    const message = typeof frame === "string" ? decodeRegistrarMessage(frame) : undefined;
    if (!message) {
      this.#fail(new OnetpError("ERR_1TP_SIGNALING_REFUSED", { detail: "it does not speak our protocol" }));
    } else if (message.type === "hello") {
      this.#greeted(message);
    } else if (this.#ready && message.type !== "unknown") {
      this.#sink.onMessage(message);
    }
  }

  #greeted({ address, relay = false }: RegistrarMessage & { readonly type: "hello" }): void {
    if (this.#ready) return;
    this.#relays = relay;
    this.#observedAddress = usableAddress(address);
    this.#ready = true;
    this.#rearm(PING_INTERVAL, () => this.#ping());
    this.#sink.onReady();
  }

  #ping(): void {
    this.#awaitsPong = true;
    this.send({ type: "ping" });
    this.#rearm(PONG_TIMEOUT, () => {
      if (this.#awaitsPong) this.#fail(systemError("ETIMEDOUT", "read"));
      else this.#rearm(PING_INTERVAL - PONG_TIMEOUT, () => this.#ping());
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#link.terminate();
  }

  #closed(close: WebSocketClose): void {
    this.#timer.cancel();
    this.#ready = false;
    this.#sink.onClose(this.#failure ?? closeError(close));
  }

  #rearm(delay: number, fire: () => void): void {
    this.#timer.cancel();
    this.#timer = this.#after(delay, fire);
    if (!this.#referenced) this.#timer.unref();
  }

  #after(delay: number, fire: () => void): Timer {
    const { clock } = this.#environment;
    return clock.setTimer(clock.now() + delay, fire);
  }
}
