import { toHex } from "../base/bytes.ts";
import type { Instant } from "../contract/clock.ts";
import type { Datagram, SocketAddress } from "../contract/datagram-socket.ts";
import type { DatagramEngine } from "../contract/engine.ts";
import type { Random } from "../contract/runtime.ts";
import { makeMessage } from "./attribute.ts";
import { NO_CREDENTIALS } from "./credentials.ts";
import { KNOWN_ATTRIBUTES } from "./known-attributes.ts";
import {
  decodeMessage,
  type MessageDefect,
  type ReceivedMessage,
  TRANSACTION_ID_SIZE,
  unknownRequired,
} from "./message.ts";
import { DATAGRAM_SCHEDULE, STREAM_SCHEDULE, type StunRequest, Transaction } from "./transaction.ts";

/** Chosen: a punch has some tens of checks under way. */
const MAX_TRANSACTIONS = 256;
/** Chosen: a challenge, a stale nonce, and one to spare. */
const MAX_RETRIES = 3;

/** How a client differs from the usual. */
export interface StunClientOptions {
  readonly random: Random;
  /** It speaks over TCP or TLS: requests are sent once. */
  readonly reliable?: boolean;
  /** The attributes that responses may demand to be understood; KNOWN_ATTRIBUTES if absent. */
  readonly known?: ReadonlySet<number>;
}

/**
 * Why there is no response: none came, all that came were forged, one demands what is not understood, too many
 * requests are under way, or the code of a system error.
 */
export type StunFailure = "timeout" | "forged" | "unknown-attribute" | "busy" | (string & {});

/** The end of one request. An error response is a response. */
export type StunClientEvent =
  | {
      readonly type: "response";
      readonly handle: number;
      readonly message: ReceivedMessage;
      readonly from: SocketAddress;
    }
  | { readonly type: "failure"; readonly handle: number; readonly reason: StunFailure };

/** Why a datagram was dropped. */
export type StunClientDrop = MessageDefect | "request" | "unasked" | "method" | "forged" | "unproven";

/**
 * Asks STUN servers: retransmits, matches responses by their transaction id, judges their integrity and answers
 * challenges (RFC 8489 §6.2, §6.3, §9). Every request ends in exactly one event unless it is cancelled.
 */
export class StunClient implements DatagramEngine<StunClientEvent> {
  /** What was dropped, by reason. */
  readonly drops = new Map<StunClientDrop, number>();
  readonly #random: Random;
  readonly #reliable: boolean;
  readonly #known: ReadonlySet<number>;
  /** By transaction id. */
  readonly #transactions = new Map<string, Transaction>();
  readonly #outbox = new Set<Transaction>();
  readonly #events: StunClientEvent[] = [];
  #handles = 0;

  constructor({ random, reliable = false, known = KNOWN_ATTRIBUTES }: StunClientOptions) {
    this.#random = random;
    this.#reliable = reliable;
    this.#known = known;
  }

  /** Requests under way. */
  get size(): number {
    return this.#transactions.size;
  }

  /** Starts a request; its events have the handle that is returned. */
  request(request: StunRequest): number {
    const handle = ++this.#handles;
    if (this.size >= MAX_TRANSACTIONS) this.#events.push({ type: "failure", handle, reason: "busy" });
    else this.#start(handle, request, 0);
    return handle;
  }

  /** Forgets a request. */
  cancel(handle: number): void {
    for (const [id, transaction] of this.#transactions) {
      if (transaction.handle === handle) this.#forget(id, transaction);
    }
  }

  /** The network refuses what is sent there, or everything: requests fail at once with the code, unless they are patient. */
  sendFailed(code: string, remote: SocketAddress | undefined): void {
    for (const [id, transaction] of this.#transactions) {
      const { to, patient } = transaction.request;
      const meant = !remote || (remote.address === to.address && remote.port === to.port);
      if (meant && !patient) this.#fail(id, transaction, code);
    }
  }

  handleDatagram({ data, remote }: Datagram, _now: Instant): void {
    const message = decodeMessage(data);
    const fault = typeof message === "string" ? message : this.#handle(message, remote);
    if (fault) this.drops.set(fault, (this.drops.get(fault) ?? 0) + 1);
  }

  /** Returns why it was dropped, if it was. */
  #handle(message: ReceivedMessage, from: SocketAddress): StunClientDrop | undefined {
    if (message.class === "request" || message.class === "indication") return "request";
    const id = toHex(message.transactionId);
    const transaction = this.#transactions.get(id);
    if (!transaction) return "unasked";
    const { handle, request, retries } = transaction;
    if (message.method !== request.method) return "method";
    const verdict = transaction.signed.judge(message);
    if (verdict === "forged") {
      transaction.violated = true;
      if (this.#reliable) this.#fail(id, transaction, "forged");
      return "forged";
    }
    if (verdict === "unproven" && !this.#reliable && !transaction.doubted) {
      transaction.doubted = true;
      return "unproven";
    }
    this.#forget(id, transaction);
    if (verdict === "retry" && retries < MAX_RETRIES) this.#start(handle, request, retries + 1);
    else this.#events.push(this.#ending(handle, message, from));
    return undefined;
  }

  #ending(handle: number, message: ReceivedMessage, from: SocketAddress): StunClientEvent {
    const understood = unknownRequired(message, this.#known).length === 0;
    return understood
      ? { type: "response", handle, message, from }
      : { type: "failure", handle, reason: "unknown-attribute" };
  }

  handleTimeout(now: Instant): void {
    for (const [id, transaction] of this.#transactions) {
      if (transaction.due === undefined || transaction.due > now) continue;
      if (transaction.spent) this.#fail(id, transaction, transaction.violated ? "forged" : "timeout");
      else this.#queue(transaction);
    }
  }

  pollTransmit(now: Instant): Datagram | undefined {
    for (const transaction of this.#outbox) {
      this.#outbox.delete(transaction);
      transaction.sent(now);
      return { data: transaction.signed.bytes, remote: transaction.request.to };
    }
    return undefined;
  }

  pollEvent(): StunClientEvent | undefined {
    return this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const { due } of this.#transactions.values()) {
      if (due !== undefined && (earliest === undefined || due < earliest)) earliest = due;
    }
    return earliest;
  }

  #start(handle: number, request: StunRequest, retries: number): void {
    const id = this.#random.fill(new Uint8Array(TRANSACTION_ID_SIZE));
    const message = makeMessage("request", request.method, id, request.attributes);
    const signed = (request.credentials ?? NO_CREDENTIALS).sign(message);
    const schedule = this.#reliable ? STREAM_SCHEDULE : DATAGRAM_SCHEDULE;
    const transaction = new Transaction(handle, request, signed, schedule, retries);
    this.#transactions.set(toHex(id), transaction);
    this.#queue(transaction);
  }

  #queue(transaction: Transaction): void {
    transaction.due = undefined;
    this.#outbox.add(transaction);
  }

  #fail(id: string, transaction: Transaction, reason: StunFailure): void {
    this.#forget(id, transaction);
    this.#events.push({ type: "failure", handle: transaction.handle, reason });
  }

  #forget(id: string, transaction: Transaction): void {
    this.#transactions.delete(id);
    this.#outbox.delete(transaction);
  }
}
