import type { Instant, Millis } from "../contract/clock.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { AttributeDraft } from "./attribute.ts";
import type { Credentials, SignedRequest } from "./credentials.ts";

/** How long to wait for a response after each sending, in ms; after the last one the transaction has failed. */
export type Schedule = readonly Millis[];

/** RFC 8489 §6.2.1: the first wait, how often a request is sent, and the last wait in first waits. */
const RTO: Millis = 500;
const RC = 7;
const RM = 16;

/** Over UDP (RFC 8489 §6.2.1): sent at 0, 500, 1500, 3500, 7500, 15500 and 31500 ms, over at 39500. */
export const DATAGRAM_SCHEDULE: Schedule = datagramSchedule(RTO);
/** Over TCP and TLS (RFC 8489 §6.2.2): sent once, over after Ti. */
export const STREAM_SCHEDULE: Schedule = [39_500];

/** The same with another first wait or number of sendings. */
export function datagramSchedule(rto: Millis, sends = RC): Schedule {
  return Array.from({ length: sends }, (_, i) => (i === sends - 1 ? RM * rto : rto * 2 ** i));
}

/** What to ask, and whom. */
export interface StunRequest {
  readonly to: SocketAddress;
  readonly method: number;
  readonly attributes?: readonly AttributeDraft[];
  /** None: neither the request nor the response has integrity. */
  readonly credentials?: Credentials;
  /** That of the client if absent. */
  readonly schedule?: Schedule;
  /** Go on although the network says that the server cannot be reached: a peer may yet open its port. */
  readonly patient?: boolean;
}

/** One request with the state of its sendings. A part of the client, without verbs. */
export class Transaction {
  readonly handle: number;
  readonly request: StunRequest;
  readonly signed: SignedRequest;
  /** How often the question was asked anew because of a challenge. */
  readonly retries: number;
  /** A response came whose integrity was missing or wrong. */
  violated = false;
  /** An error came that has no integrity where it should. */
  doubted = false;
  /** When the next sending, or the end, is due; undefined while it waits to be sent. */
  due: Instant | undefined;
  readonly #schedule: Schedule;
  #sends = 0;

  constructor(
    handle: number,
    request: StunRequest,
    signed: SignedRequest,
    schedule: Schedule,
    retries: number,
  ) {
    this.handle = handle;
    this.request = request;
    this.signed = signed;
    this.retries = retries;
    this.#schedule = request.schedule ?? schedule;
  }

  /** Whether it has been sent as often as it may. */
  get spent(): boolean {
    return this.#sends >= this.#schedule.length;
  }

  sent(now: Instant): void {
    this.due = now + this.#schedule[this.#sends++]!;
  }
}
