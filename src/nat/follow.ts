import { sameBytes, toHex } from "../base/bytes.ts";
import { TokenBucket } from "../base/token-bucket.ts";
import type { Instant, Millis } from "../contract/clock.ts";
import type { Datagram, SocketAddress } from "../contract/datagram-socket.ts";
import type { Engine } from "../contract/engine.ts";
import type { Random } from "../contract/runtime.ts";
import { BINDING } from "../stun/binding.ts";
import { decodeMessage, type ReceivedMessage } from "../stun/message.ts";
import { addressKey } from "./candidate.ts";
import { type CheckCodec, makeTransactionId } from "./check.ts";

/** When a check leaves again, in ms after the first; then the address is given up (chosen). */
const SCHEDULE: readonly Millis[] = [0, 200, 600];
/** An address that did not answer is not asked again so soon; nor any other, if ids are guessed (chosen). */
const PAUSE: Millis = 1000;
/** Checks of the peer that are answered in a second (chosen: a punch's last ones come in a burst). */
const ANSWERS_PER_SECOND = 20;

/** The peer is there now. */
export interface FollowEvent {
  readonly remote: SocketAddress;
}

interface Suspicion {
  readonly remote: SocketAddress;
  readonly id: Uint8Array;
  readonly since: Instant;
  tries: number;
}

/**
 * After the punch: notices that the peer's NAT has given it another outer endpoint, and follows once the peer has answered a check from
 * there. So nobody who merely copies or forges packets can take a connection away.
 */
export class Follow implements Engine<FollowEvent> {
  /** What came and was not used, by reason. */
  readonly drops = new Map<string, number>();
  readonly #codec: CheckCodec;
  readonly #random: Random;
  readonly #answers = new TokenBucket(ANSWERS_PER_SECOND);
  readonly #out: Datagram[] = [];
  readonly #events: FollowEvent[] = [];
  #remote: SocketAddress;
  #suspicion: Suspicion | undefined;
  #pausedUntil: Instant = Number.NEGATIVE_INFINITY;

  /** `codec` is that of the punch, `remote` where the peer is. */
  constructor(codec: CheckCodec, random: Random, remote: SocketAddress) {
    this.#codec = codec;
    this.#random = random;
    this.#remote = remote;
  }

  /** The peer has proved by a new punch that it is there now. */
  moved({ address, port }: SocketAddress): void {
    this.#remote = { address, port };
    this.#suspicion = undefined;
  }

  /** Something that looks like the peer's came from elsewhere. */
  suspect(remote: SocketAddress, now: Instant): void {
    if (this.#suspicion || now < this.#pausedUntil || addressKey(remote) === addressKey(this.#remote)) return;
    const { address, port } = remote;
    this.#suspicion = {
      remote: { address, port },
      id: makeTransactionId(this.#random),
      since: now,
      tries: 0,
    };
    this.handleTimeout(now);
  }

  /** Whether it waits for an answer. */
  get asking(): boolean {
    return this.#suspicion !== undefined;
  }

  /** Whether an answer with that transaction id, in hexadecimal, is ours. */
  awaits(id: string): boolean {
    return this.#suspicion !== undefined && toHex(this.#suspicion.id) === id;
  }

  /** False if it is an answer to somebody else's question. */
  handleDatagram({ data, remote }: Datagram, now: Instant): boolean {
    const message = decodeMessage(data);
    const fault = typeof message === "string" ? message : this.#receive(message, remote, now);
    if (fault === "unasked") return false;
    if (fault) this.drops.set(fault, (this.drops.get(fault) ?? 0) + 1);
    return true;
  }

  /** Returns why it was dropped, if it was. */
  #receive(message: ReceivedMessage, remote: SocketAddress, now: Instant): string | undefined {
    if (message.method !== BINDING) return "method";
    if (message.class === "success") return this.#receiveAnswer(message, remote);
    if (message.class !== "request") return "class";
    const fault = this.#codec.requestFault(message);
    if (fault) return fault;
    if (!this.#answers.take(now)) return "limit";
    const { address, port } = remote;
    this.#out.push({ data: this.#codec.response(message, remote), remote: { address, port } });
    return undefined;
  }

  #receiveAnswer(answer: ReceivedMessage, remote: SocketAddress): string | undefined {
    const suspicion = this.#suspicion;
    if (!suspicion || !sameBytes(answer.transactionId, suspicion.id)) return "unasked";
    if (addressKey(remote) !== addressKey(suspicion.remote)) return "elsewhere";
    if (!this.#codec.isAuthentic(answer)) return "forged";
    this.#suspicion = undefined;
    this.#remote = suspicion.remote;
    this.#events.push({ remote: suspicion.remote });
    return undefined;
  }

  handleTimeout(now: Instant): void {
    const suspicion = this.#suspicion;
    const due = this.pollTimeout();
    if (!suspicion || due === undefined || due > now) return;
    const data = suspicion.tries < SCHEDULE.length ? this.#codec.request(suspicion.id) : undefined;
    suspicion.tries++;
    if (data) {
      this.#out.push({ data, remote: suspicion.remote });
      return;
    }
    this.#suspicion = undefined;
    this.#pausedUntil = now + PAUSE;
  }

  pollTransmit(): Datagram | undefined {
    return this.#out.shift();
  }

  pollEvent(): FollowEvent | undefined {
    return this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    if (!this.#suspicion) return undefined;
    const { since, tries } = this.#suspicion;
    return since + (SCHEDULE[tries] ?? PAUSE);
  }
}
