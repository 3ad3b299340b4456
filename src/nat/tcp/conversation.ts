import type { Instant } from "../../contract/clock.ts";
import type { SocketAddress } from "../../contract/datagram-socket.ts";
import type { JsonObject } from "../../contract/endpoint.ts";
import { type NatBehaviour, UNKNOWN } from "../behaviour.ts";
import { MAX_CANDIDATES } from "../candidate.ts";
import type { CheckIdentity } from "../check.ts";
import type { TcpCandidate } from "./candidate.ts";
import { Prospects } from "./prospects.ts";
import { type ReadTcpSignal, type TcpSignal, type TcpWords, writeTcpSignal } from "./signal.ts";

/**
 * What both sides of a TCP punch have told each other, and the moment they agree on: whoever knows first that both have told all
 * says go, and waits as long as a signal takes to the other.
 */
export class Conversation {
  /** Our own NATs, as far as we know. */
  local: NatBehaviour = UNKNOWN;
  /** The peer's, as far as it has told. */
  remote: NatBehaviour = UNKNOWN;
  /** The peer has nothing left to try. */
  peerSpent = false;
  readonly #candidates: TcpCandidate[] = [];
  #identity: CheckIdentity | undefined;
  /** What is to be said with the next signal. */
  #words: TcpWords = {};
  #told = 0;
  #complete = false;
  #peerComplete = false;
  #spent = false;
  #askedAt: Instant | undefined;
  /** How long a signal takes to the peer. */
  #latency: number | undefined;
  #beginsAt: Instant | undefined;

  constructor(identity: CheckIdentity) {
    this.#identity = identity;
  }

  /** When both connect; undefined as long as that is open. */
  get beginsAt(): Instant | undefined {
    return this.#beginsAt;
  }

  /** What may come of it, by what both know of their NATs. */
  get prospects(): Prospects {
    return new Prospects(this.local, this.remote);
  }

  /** Whether an address is one of our own candidates. */
  isOwn({ address, port }: SocketAddress): boolean {
    return this.#candidates.some((own) => own.address === address && own.port === port);
  }

  /** Another candidate of ours. Those that are known, too many or too late are left out. */
  add(candidate: TcpCandidate): void {
    const full = this.#complete || this.#candidates.length >= MAX_CANDIDATES;
    if (!full && !this.isOwn(candidate)) this.#candidates.push(candidate);
  }

  /** There are no more of our candidates. */
  complete(nat: NatBehaviour, now: Instant): void {
    if (this.#complete) return;
    this.local = nat;
    this.#complete = true;
    this.#words = { ...this.#words, complete: true };
    this.#agree(now);
  }

  /** We have nothing left to try. */
  spent(): void {
    if (this.#spent) return;
    this.#spent = true;
    this.#words = { ...this.#words, spent: true };
  }

  /** Takes in what the peer says. */
  hear({ nat, complete, ask, answer, go, spent }: ReadTcpSignal, now: Instant): void {
    if (nat) this.remote = nat;
    this.#peerComplete ||= complete === true;
    this.peerSpent ||= spent === true;
    if (ask) this.#words = { ...this.#words, answer: true };
    // Both may have said it: the first one holds.
    if (go) this.#beginsAt = Math.min(this.#beginsAt ?? now, now);
    this.#measure(answer === true, now);
    this.#agree(now);
  }

  /** A signal takes half as long as the first thing said to the peer, who is there, and its answer. */
  #measure(answered: boolean, now: Instant): void {
    if (this.#askedAt === undefined) {
      this.#askedAt = now;
      this.#words = { ...this.#words, ask: true };
    } else if (answered) {
      this.#latency ??= (now - this.#askedAt) / 2;
    }
  }

  #agree(now: Instant): void {
    const latency = this.#latency;
    if (!(this.#complete && this.#peerComplete) || latency === undefined || this.#beginsAt !== undefined)
      return;
    this.#words = { ...this.#words, go: true };
    this.#beginsAt = now + latency;
  }

  /** The next signal, if there is news. */
  next(): JsonObject | undefined {
    const identity = this.#identity;
    const words = this.#words;
    const candidates = this.#candidates.slice(this.#told);
    if (!identity && candidates.length === 0 && Object.keys(words).length === 0) return undefined;
    const signal: TcpSignal = {
      ...(identity && { identity }),
      candidates,
      ...(words.complete && { nat: this.local }),
      ...words,
    };
    this.#identity = undefined;
    this.#told = this.#candidates.length;
    this.#words = {};
    return writeTcpSignal(signal);
  }
}
