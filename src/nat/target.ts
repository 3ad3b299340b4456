import type { Instant, Millis } from "../contract/clock.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import { addressKey, type CandidateKind } from "./candidate.ts";

/**
 * When a check leaves again, in ms after the first (chosen: half a second covers most of the world twice; with the opening one, an answer
 * and a triggered check it is the eight datagrams an unproved address may get).
 */
const SCHEDULE: readonly Millis[] = [0, 150, 450, 1050, 2250];

/** Addresses learned from checks that came in (chosen: an honest peer has a few NATs). */
const MAX_LEARNED = 16;

/** A remote address that is checked from one own socket. */
export class Target {
  readonly remote: SocketAddress;
  /** The own socket. */
  readonly via: number;
  readonly kind: CandidateKind | "learned";
  /** A NAT may stand before it that minds who sends first: a public IPv4 address that is not mapped for everybody. */
  readonly outside: boolean;
  /** The trick that sent there first. */
  by: string | undefined;
  /** Something has been sent there, perhaps not far. */
  opened = false;
  /** The peer has sent to us from there. */
  heard = false;
  /** It has answered. */
  proven = false;
  #since: Instant | undefined;
  #tries = 0;

  constructor(remote: SocketAddress, via: number, kind: CandidateKind | "learned", outside: boolean) {
    this.remote = { address: remote.address, port: remote.port };
    this.via = via;
    this.kind = kind;
    this.outside = outside;
  }

  /** Checks leave on schedule from now on. False if they do already. */
  pursue(now: Instant): boolean {
    if (this.#since !== undefined) return false;
    this.#since = now;
    return true;
  }

  get pursued(): boolean {
    return this.#since !== undefined;
  }

  /** The next check leaves now, whatever the schedule. */
  hurry(now: Instant): void {
    if (this.#since !== undefined && this.due() !== undefined)
      this.#since = now - (SCHEDULE[this.#tries] ?? 0);
  }

  /** When the next check is due; undefined if none is. */
  due(): Instant | undefined {
    const after = SCHEDULE[this.#tries];
    if (this.#since === undefined || after === undefined || this.proven) return undefined;
    return this.#since + after;
  }

  /** A check leaves. */
  tried(): void {
    this.#tries++;
    this.opened = true;
  }
}

/** The targets of one punch. */
export class Targets {
  readonly #all = new Map<string, Target>();
  readonly #told: Target[] = [];
  #learned = 0;

  /** The peer's candidates that count. */
  get told(): readonly Target[] {
    return this.#told;
  }

  [Symbol.iterator](): IterableIterator<Target> {
    return this.#all.values();
  }

  find(remote: SocketAddress, via: number): Target | undefined {
    return this.#all.get(keyOf(remote, via));
  }

  /** A candidate of the peer. */
  add(target: Target): void {
    const known = this.find(target.remote, target.via);
    if (!known) this.#all.set(keyOf(target.remote, target.via), target);
    this.#told.push(known ?? target);
  }

  /** An address the peer was seen at; undefined if there are too many. */
  learn(remote: SocketAddress, via: number): Target | undefined {
    const known = this.find(remote, via);
    if (known) return known;
    if (this.#learned >= MAX_LEARNED) return undefined;
    this.#learned++;
    const target = new Target(remote, via, "learned", false);
    this.#all.set(keyOf(remote, via), target);
    return target;
  }

  /** The same place, from another socket of ours. */
  from({ remote, kind, outside }: Target, via: number): Target {
    const known = this.find(remote, via);
    const target = known ?? new Target(remote, via, kind, outside);
    if (!known) this.#all.set(keyOf(remote, via), target);
    return target;
  }

  /** When the next check is due. */
  next(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const target of this) {
      const due = target.due();
      if (due !== undefined && (earliest === undefined || due < earliest)) earliest = due;
    }
    return earliest;
  }
}

function keyOf(remote: SocketAddress, via: number): string {
  return `${via} ${addressKey(remote)}`;
}
