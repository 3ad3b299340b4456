import { earliest } from "../base/deadlines.ts";
import { ipFamily } from "../base/ip.ts";
import type { Instant, Millis } from "../contract/clock.ts";
import type { Crypto } from "../contract/crypto.ts";
import type { Datagram, SocketAddress } from "../contract/datagram-socket.ts";
import type { Json } from "../contract/endpoint.ts";
import type { Engine } from "../contract/engine.ts";
import type { Random } from "../contract/runtime.ts";
import { BINDING } from "../stun/binding.ts";
import { decodeMessage, type ReceivedMessage } from "../stun/message.ts";
import { describeBehaviour, isHard, type NatBehaviour, obstacleBetween } from "./behaviour.ts";
import { PunchBudget } from "./budget.ts";
import { addressKey, MAX_CANDIDATES, type NatCandidate } from "./candidate.ts";
import { CheckCodec, type CheckIdentity, makeIdentity, makeTransactionId } from "./check.ts";
import { CheckLog } from "./check-log.ts";
import { Planner, TRICKS } from "./planner.ts";
import type { ProbeRun, ProbeRuns } from "./probe-run.ts";
import type { Certainty, PunchDatagram, PunchDrop, PunchEvent } from "./punch-event.ts";
import { readPunchSignal } from "./punch-signal.ts";
import { isOutside, type ReachOf } from "./reach.ts";
import { Talk } from "./talk.ts";
import { Target, Targets } from "./target.ts";
import type { ExtraSocket, PunchTrick, TrickContext, TrickRun } from "./trick.ts";
import { trickContext } from "./trick-context.ts";

/** The own sockets every punch has: one for each family. Others have higher numbers. */
export const VIA_IPV4 = 0;
export const VIA_IPV6 = 1;

/** Passes a home's router, its provider's NAT and one to spare, and does not reach the other side (HyperDHT's). */
const LOW_TTL = 5;
/** Signals of the peer that count (chosen: a dozen is what an honest one has). */
const MAX_SIGNALS = 32;
/** A late answer may still come after the last check (chosen: the longest round trip, and a signal's). */
const GRACE: Millis = 2000;

/** How a punch begins. */
export interface PunchOptions {
  readonly random: Random;
  readonly crypto: Crypto;
  /** It speaks first. */
  readonly opener: boolean;
  /** What may be sent to at all. */
  readonly reach: ReachOf;
  /** The IP at which the dialog's carrier sees the peer. */
  readonly attested?: string | undefined;
  /** Own NATs, as far as they are known. */
  readonly nat?: NatBehaviour;
  /** The families there are sockets for. */
  readonly families: readonly (4 | 6)[];
  /** It is about a connection that stands: the password the peer had when it was made. */
  readonly again?: string;
  /** What this process probes. */
  readonly runs: ProbeRuns;
  /** `TRICKS` if absent. */
  readonly tricks?: readonly PunchTrick[];
}

/**
 * One side of one punch: candidates and words in signals, checks in datagrams, tricks that decide what is sent when. Ways that
 * open are events; whoever uses one lets go of the punch.
 */
export class Punch implements Engine<PunchEvent, PunchDatagram> {
  /** What both sides sign their checks with; the remote one is there once its first signal is. */
  readonly codec: CheckCodec;
  /** What came and was not used, by reason. */
  readonly drops = new Map<PunchDrop, number>();
  /** Datagrams sent, by trick; answers to the peer's checks aside. */
  readonly sent = new Map<string, number>();
  readonly #options: PunchOptions;
  readonly #budget: PunchBudget;
  readonly #targets = new Targets();
  readonly #talk: Talk;
  readonly #planner: Planner;
  readonly #running: { readonly trick: PunchTrick; readonly run: TrickRun }[] = [];
  readonly #notes = new Set<string>();
  readonly #log = new CheckLog();
  readonly #out: PunchDatagram[] = [];
  readonly #events: PunchEvent[] = [];
  /** Which trick has sent where. */
  readonly #openedBy = new Map<string, string>();
  /** By the trick that has asked for them. */
  readonly #extraSockets = new Map<string, readonly ExtraSocket[]>();
  #run: ProbeRun | undefined;
  #signals = 0;
  #restedAt: Instant | undefined;
  #exhausted = false;

  constructor(options: PunchOptions) {
    const { random, crypto, reach, attested, nat, tricks = TRICKS } = options;
    const identity: CheckIdentity = makeIdentity(random);
    this.#options = options;
    this.codec = new CheckCodec(crypto, identity);
    this.#budget = new PunchBudget(attested);
    this.#talk = new Talk(identity, (candidate) => isGuarded(candidate, reach), options.again);
    this.#planner = new Planner(tricks);
    if (nat) this.#talk.learn(nat);
  }

  /** What the peer says that it is about: the password we had then, if it is right. */
  get again(): string | undefined {
    return this.#talk.again;
  }

  /** Both sides' NATs as far as they are known, and what else stood in the way: for a report. */
  describe(): string {
    const { local, remote } = this.#talk;
    const tried = [...this.sent].map(([trick, count]) => `${trick} ${count}`).join(", ") || "nothing";
    const parts = [`here ${describeBehaviour(local)}`, `there ${describeBehaviour(remote)}`];
    const obstacle = obstacleBetween(local, remote);
    return [...(obstacle ? [obstacle] : []), ...parts, `datagrams sent: ${tried}`, ...this.#notes].join("; ");
  }

  /** Another address of ours, to be told to the peer. */
  addCandidate(candidate: NatCandidate, now: Instant): void {
    if (this.#talk.add(candidate)) this.#tellTricks(now);
  }

  /** All own candidates that can be had for now are there. */
  complete(now: Instant): void {
    this.#talk.complete();
    this.#tellTricks(now);
  }

  /** More is known of our NATs. */
  learn(nat: NatBehaviour, now: Instant): void {
    this.#talk.learn(nat);
    this.#tellTricks(now);
  }

  /** A signal of the peer. */
  handleSignal(body: Json, now: Instant): void {
    const signal = ++this.#signals > MAX_SIGNALS ? undefined : readPunchSignal(body);
    if (signal?.identity) this.codec.meet(signal.identity);
    if (!signal || !this.codec.complete) {
      this.#drop(this.#signals > MAX_SIGNALS ? "too-many" : signal ? "no-identity" : "malformed");
      return;
    }
    for (let i = 0; i < signal.malformed; i++) this.#drop("malformed");
    for (const candidate of signal.candidates) this.#addTarget(candidate);
    this.#talk.hear(signal);
    if (signal.ready !== undefined) this.#hurry(now);
    this.#tellTricks(now);
  }

  #addTarget(candidate: NatCandidate): void {
    const { kind, address, port } = candidate;
    const via = ipFamily(address) === 6 ? VIA_IPV6 : VIA_IPV4;
    const { reach, families } = this.#options;
    const full = this.#targets.told.length >= MAX_CANDIDATES;
    const fault = full ? "too-many" : this.#faultOf({ address, port });
    if (fault) this.#drop(fault);
    else if (!families.includes(via === VIA_IPV6 ? 6 : 4)) this.#drop("no-socket");
    else this.#targets.add(new Target({ address, port }, via, kind, isGuarded(candidate, reach)));
  }

  /** Why nothing is sent there, if so. A socket cannot talk to itself. */
  #faultOf({ address, port }: SocketAddress): "forbidden" | "self" | undefined {
    if (this.#options.reach(address) === "forbidden") return "forbidden";
    const own = this.#talk.candidates.some((mine) => mine.address === address && mine.port === port);
    return own ? "self" : undefined;
  }

  #drop(reason: PunchDrop): void {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + 1);
  }

  /** Whether an answer with that transaction id, in hexadecimal, is ours. */
  awaits(id: string): boolean {
    return this.#log.awaits(id);
  }

  /** STUN that came to the socket `via`, and is for us by its name or transaction id. False if it is not ours after all. */
  handleDatagram({ data, remote }: Datagram, via: number, now: Instant): boolean {
    const message = decodeMessage(data);
    if (typeof message === "string" || message.method !== BINDING) {
      this.#drop("message");
      return false;
    }
    if (message.class === "request") this.#receiveRequest(message, remote, via, now);
    else if (message.class === "success") return this.#receiveAnswer(message, remote, via, now);
    else this.#drop("message");
    return true;
  }

  #receiveRequest(request: ReceivedMessage, remote: SocketAddress, via: number, now: Instant): void {
    const fault =
      this.codec.requestFault(request) ?? this.#log.requestFault(request, remote) ?? this.#faultOf(remote);
    const target = fault ? undefined : this.#targets.learn(remote, via);
    if (!target || !this.#maySend(remote, now)) {
      this.#drop(fault ?? (target ? "budget" : "too-many"));
      return;
    }
    this.#out.push({ data: this.codec.response(request, remote), remote: target.remote, via });
    if (!target.heard) {
      target.heard = true;
      this.#tellWay(target, "heard");
      // The peer is there and lets us in: what waits for its time is due (RFC 8445 §7.3.1.4).
      this.#pursue(target, now);
      target.hurry(now);
    }
    this.#tellTricks(now);
  }

  #receiveAnswer(answer: ReceivedMessage, remote: SocketAddress, via: number, now: Instant): boolean {
    const fault = this.#log.answerFault(answer, remote, via);
    const target = !fault && this.codec.isAuthentic(answer) ? this.#targets.learn(remote, via) : undefined;
    if (target) this.#prove(target, now);
    else this.#drop(fault ?? "forged");
    return fault !== "unasked";
  }

  #prove(target: Target, now: Instant): void {
    if (target.proven) return;
    target.proven = true;
    this.#budget.prove(target.remote);
    this.#tellWay(target, "proven");
    this.#tellTricks(now);
  }

  #tellWay(target: Target, certainty: Certainty): void {
    const { remote, via, kind } = target;
    target.by ??= this.#openedBy.get(addressKey(remote)) ?? this.#running.at(-1)?.trick.name ?? "none";
    const trusted = certainty === "proven" || this.#budget.isAttested(remote.address);
    this.#events.push({ type: "way", certainty, remote, via, kind, trusted, trick: target.by });
  }

  #tellTricks(now: Instant): void {
    if (!this.codec.complete) return;
    for (const { run } of this.#running) run.onNews(now);
    this.#startTricks(now);
    for (const target of this.#targets) if (target.heard) this.#pursue(target, now);
    this.#restedAt = undefined;
    this.#rest(now);
  }

  #startTricks(now: Instant): void {
    const { local, remote } = this.#talk;
    for (;;) {
      const trick = this.#planner.take(local, remote, now);
      if (!trick) return;
      const run = trick.start(this.#contextOf(trick));
      this.#running.push({ trick, run });
      run.onNews(now);
    }
  }

  #contextOf(trick: PunchTrick): TrickContext {
    const { name } = trick;
    return trickContext(this.#options.random, this.#talk, this.#targets, name, {
      extraSockets: () => this.#extraSockets.get(name) ?? [],
      isAttested: (address) => this.#budget.isAttested(address),
      open: (remote, via, now) => this.#open(remote, via, name, now),
      pursue: (target, now, via = target.via) => this.#pursue(this.#targets.from(target, via), now, name),
      wantSockets: (count) => void this.#events.push({ type: "sockets", trick: name, count }),
      beginRun: (address) => this.#beginRun(address),
      probe: (remote, via, now, low) => this.#probe(remote, via, now, name, low),
      endRun: () => this.#run?.end(),
      note: (why) => void this.#notes.add(`${name}: ${why}`),
    });
  }

  /** The sockets that a trick has asked for. Whoever opened them closes those that are not needed. */
  addSockets(trick: string, sockets: readonly ExtraSocket[], now: Instant): void {
    this.#extraSockets.set(trick, sockets);
    this.#tellTricks(now);
  }

  #beginRun(address: string): boolean {
    if (!this.#budget.isAttested(address)) return false;
    this.#run ??= this.#options.runs.begin(address);
    return this.#run?.address === address;
  }

  #probe(remote: SocketAddress, via: number, now: Instant, by: string, low = false): boolean {
    if (this.#run?.address !== remote.address || !this.#run.take(now)) return false;
    return this.#ask(remote, via, by, low ? LOW_TTL : undefined);
  }

  /** Nobody uses it any more: what it holds of the process is given back. */
  close(): void {
    this.#run?.end();
  }

  #open(remote: SocketAddress, via: number, by: string, now: Instant): void {
    const target = this.#targets.find(remote, via);
    if (target) target.opened = true;
    this.#check(remote, via, by, now, LOW_TTL);
  }

  #pursue(target: Target, now: Instant, by = this.#running.at(-1)?.trick.name ?? "none"): void {
    if (!this.codec.complete || !target.pursue(now)) return;
    target.by ??= by;
    this.#checkDue(target, now);
    if (this.#isPromising(target)) this.#tellWay(target, "promising");
  }

  /** A hard peer answers from somewhere else than servers see it at. */
  #isPromising({ outside, remote }: Target): boolean {
    const { peerOpened, remote: nat } = this.#talk;
    const moves = outside && isHard(nat) === true;
    return peerOpened && !moves && this.#budget.isAttested(remote.address);
  }

  #checkDue(target: Target, now: Instant): void {
    const due = target.due();
    if (due === undefined || due > now) return;
    target.tried();
    this.#check(target.remote, target.via, target.by ?? "none", now);
  }

  /** All that wait for their time leave now: the peer says that it is worth it. */
  #hurry(now: Instant): void {
    for (const target of this.#targets) {
      target.hurry(now);
      this.#checkDue(target, now);
    }
  }

  /** Sends one check, unless it would be one too many. */
  #check(remote: SocketAddress, via: number, by: string, now: Instant, ttl?: number): void {
    if (this.codec.complete && this.#maySend(remote, now)) this.#ask(remote, via, by, ttl);
  }

  /** One small datagram, on account of the dialog or, in a run, of the run. */
  #maySend(remote: SocketAddress, now: Instant): boolean {
    if (this.#budget.take(remote)) return true;
    return this.#run?.address === remote.address && this.#run.take(now);
  }

  #ask(remote: SocketAddress, via: number, by: string, ttl: number | undefined): boolean {
    const id = makeTransactionId(this.#options.random);
    const data = this.codec.request(id);
    if (!data) return false;
    this.#log.asked(id, remote, via);
    this.#openedBy.set(addressKey(remote), by);
    this.sent.set(by, (this.sent.get(by) ?? 0) + 1);
    this.#out.push({ data, remote, via, ...(ttl === undefined ? {} : { ttl }) });
    return true;
  }

  handleTimeout(now: Instant): void {
    for (const target of this.#targets) this.#checkDue(target, now);
    for (const { run } of this.#running) {
      const at = run.pollTimeout?.();
      if (at !== undefined && at <= now) run.handleTimeout?.(now);
    }
    if (this.codec.complete) this.#startTricks(now);
    this.#rest(now);
  }

  /** Notices when nothing is left to be done. */
  #rest(now: Instant): void {
    if (!this.codec.complete || this.#exhausted) return;
    if (this.#nextWork() !== undefined) this.#restedAt = undefined;
    else this.#restedAt ??= now;
    if (this.#restedAt === undefined || now < this.#restedAt + GRACE) return;
    this.#exhausted = true;
    this.#events.push({ type: "exhausted" });
  }

  #nextWork(): Instant | undefined {
    const { local, remote } = this.#talk;
    return earliest([
      this.#targets.next(),
      this.codec.complete ? this.#planner.next(local, remote) : undefined,
      ...this.#running.map(({ run }) => run.pollTimeout?.()),
    ]);
  }

  pollTransmit(): PunchDatagram | undefined {
    return this.#out.shift();
  }

  pollEvent(): PunchEvent | undefined {
    const event = this.#events.shift();
    if (event || !(this.#options.opener || this.codec.complete)) return event;
    const opened = this.#targets.told.every((target) => !target.outside || target.opened);
    const body = this.#talk.next(opened && this.codec.complete);
    return body && { type: "signal", body };
  }

  pollTimeout(): Instant | undefined {
    if (this.#exhausted) return undefined;
    return this.#restedAt === undefined ? this.#nextWork() : this.#restedAt + GRACE;
  }
}

/** Whether a NAT that minds who sends first may stand before a candidate: where the gateway lets everybody in, none does. */
function isGuarded({ kind, address }: NatCandidate, reach: ReachOf): boolean {
  return kind !== "mapped" && isOutside(address, reach);
}
