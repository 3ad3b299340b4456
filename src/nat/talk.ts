import type { JsonObject } from "../contract/endpoint.ts";
import { type NatBehaviour, UNKNOWN } from "./behaviour.ts";
import { MAX_CANDIDATES, type NatCandidate } from "./candidate.ts";
import type { CheckIdentity } from "./check.ts";
import { type ReadSignal, writePunchSignal } from "./punch-signal.ts";

/** What two sides have told each other: who has which candidates, what has been sent to, and what is still to be said. */
export class Talk {
  /** Our own NATs, as far as we know. */
  local: NatBehaviour = UNKNOWN;
  /** The peer's, as far as it has told. */
  remote: NatBehaviour = UNKNOWN;
  /** What the peer says of a connection that stands. */
  again: string | undefined;
  /** The peer's candidates so far, those that made no sense included. */
  heard = 0;
  readonly #candidates: NatCandidate[] = [];
  readonly #outside: (candidate: NatCandidate) => boolean;
  readonly #readyHere = new Set<string>();
  readonly #readyThere = new Set<string>();
  readonly #again: string | undefined;
  #identity: CheckIdentity | undefined;
  #complete = false;
  #told = 0;
  #toldReady = 0;
  #toldOpened = 0;
  #natIsNews = false;
  #peerOpened = 0;

  /** `outside` says whether a candidate of ours has a NAT that minds who sends first, as far as can be told. */
  constructor(identity: CheckIdentity, outside: (candidate: NatCandidate) => boolean, again?: string) {
    this.#identity = identity;
    this.#again = again;
    this.#outside = outside;
  }

  get candidates(): readonly NatCandidate[] {
    return this.#candidates;
  }

  /** Another candidate of ours. False if it is known, or one too many. */
  add(candidate: NatCandidate): boolean {
    const known = this.#candidates.some(
      ({ address, port }) => address === candidate.address && port === candidate.port,
    );
    if (known || this.#candidates.length >= MAX_CANDIDATES) return false;
    this.#candidates.push(candidate);
    return true;
  }

  /** There will be no more of our candidates for now. */
  complete(): void {
    this.#complete = true;
  }

  /** We know more of our NATs. */
  learn(nat: NatBehaviour): void {
    const before = JSON.stringify(this.local);
    this.local = { ...this.local, ...nat };
    this.#natIsNews ||= JSON.stringify(this.local) !== before;
  }

  /** Our part of a trick is done. */
  ready(trick: string): void {
    this.#readyHere.add(trick);
  }

  isPeerReady(trick: string): boolean {
    return this.#readyThere.has(trick);
  }

  /** The peer has sent to our last public address, so that all before it has been seen to as well. */
  get peerOpened(): boolean {
    const last = this.#candidates.findLastIndex(this.#outside);
    if (last >= 0) return this.#peerOpened > last;
    return this.#complete && this.#peerOpened > 0 && this.#peerOpened >= this.#told;
  }

  /** Takes in what the peer says. */
  hear({ candidates, malformed, nat, opened, ready, again }: ReadSignal): void {
    this.again ??= again;
    this.heard = Math.min(MAX_CANDIDATES, this.heard + candidates.length + malformed);
    if (nat) this.remote = { ...this.remote, ...nat };
    if (opened !== undefined) this.#peerOpened = Math.max(this.#peerOpened, opened);
    if (ready !== undefined && this.#readyThere.size < 8) this.#readyThere.add(ready);
  }

  /** The next signal, if there is news. `opened`: whether something was sent to all that the peer has told. */
  next(opened: boolean): JsonObject | undefined {
    const identity = this.#identity;
    const openedNow = opened ? this.heard : this.#toldOpened;
    const fresh = this.#candidates.slice(this.#told);
    const ready = [...this.#readyHere][this.#toldReady];
    const news = identity || fresh.length > 0 || this.#natIsNews || ready !== undefined;
    if (!news && openedNow === this.#toldOpened) return undefined;
    const signal = writePunchSignal({
      ...(identity && { identity, ...(this.#again !== undefined && { again: this.#again }) }),
      candidates: fresh,
      ...(this.#natIsNews && { nat: this.local }),
      ...(openedNow > 0 && { opened: openedNow }),
      ...(ready !== undefined && { ready }),
    });
    this.#identity = undefined;
    this.#told = this.#candidates.length;
    this.#natIsNews = false;
    this.#toldOpened = openedNow;
    if (ready !== undefined) this.#toldReady++;
    return signal;
  }
}
