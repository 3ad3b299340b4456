import { earliest } from "../../base/deadlines.ts";
import { ipFamily } from "../../base/ip.ts";
import type { Instant, Millis } from "../../contract/clock.ts";
import type { Crypto } from "../../contract/crypto.ts";
import type { SocketAddress } from "../../contract/datagram-socket.ts";
import type { Json } from "../../contract/endpoint.ts";
import type { Engine } from "../../contract/engine.ts";
import type { Random } from "../../contract/runtime.ts";
import { describeBehaviour, type NatBehaviour } from "../behaviour.ts";
import { PunchBudget } from "../budget.ts";
import { MAX_CANDIDATES } from "../candidate.ts";
import { CheckCodec, makeIdentity } from "../check.ts";
import { isOutside, type ReachOf } from "../reach.ts";
import type { TcpCandidate } from "./candidate.ts";
import { Conversation } from "./conversation.ts";
import { Link } from "./link.ts";
import { nextMoment } from "./moments.ts";
import type { LinkFrame, TcpPunchDrop, TcpPunchEvent } from "./punch-event.ts";
import { readTcpSignal } from "./signal.ts";
import { NEAR_PATIENCE, PATIENCE, Target } from "./target.ts";

/** How long a link may take to be checked and chosen (chosen: many round trips). */
const CHECK_TIME: Millis = 4_000;
/** Systems repeat a SYN after a second, and again after two more (RFC 6298 §2.1, §5.5); what may not be repeated ends a moment before. */
const REPEAT: Millis = 1_000;
const MARGIN: Millis = 100;
/** Signals of the peer that count, and connections by others at a time (chosen: more than an honest peer has). */
const MAX_SIGNALS = 32;
const MAX_ACCEPTED = 16;
/** A peer that does not say that it is done, too, is not waited for longer (chosen: its patience, and a signal's time). */
const GRACE: Millis = 6_000;

/** How a TCP punch begins. */
export interface TcpPunchOptions {
  readonly random: Random;
  readonly crypto: Crypto;
  /** It speaks first, and chooses. */
  readonly opener: boolean;
  /** What may be sent to at all. */
  readonly reach: ReachOf;
  /** The IP at which the dialog's carrier sees the peer. */
  readonly attested?: string | undefined;
  /** The families there are own addresses of. */
  readonly families: readonly (4 | 6)[];
}

/**
 * One side of one TCP punch. Both sides connect at once to where the other listens, and at one moment from their shared ports
 * to each other (RFC 9293 §3.5, simultaneous open), check what opens, and the opener chooses one. Connections are numbers here.
 */
export class TcpPunch implements Engine<TcpPunchEvent, LinkFrame> {
  /** What both sides sign their checks with. */
  readonly codec: CheckCodec;
  /** What came and was not used, by reason. */
  readonly drops = new Map<TcpPunchDrop, number>();
  /** Connections that were tried. */
  tried = 0;
  readonly #options: TcpPunchOptions;
  readonly #budget: PunchBudget;
  readonly #conversation: Conversation;
  readonly #targets: Target[] = [];
  readonly #links = new Map<number, Link>();
  readonly #out: LinkFrame[] = [];
  readonly #events: TcpPunchEvent[] = [];
  #nextLink = 0;
  #signals = 0;
  /** When both have begun to connect to each other, and until when something may come of it. */
  #began: { readonly until: Instant } | undefined;
  #restsAt: Instant | undefined;
  /** The peer may come from where nobody knows. */
  #awaits = false;
  #over = false;

  constructor(options: TcpPunchOptions) {
    const identity = makeIdentity(options.random);
    this.#options = options;
    this.codec = new CheckCodec(options.crypto, identity);
    this.#budget = new PunchBudget(options.attested);
    this.#conversation = new Conversation(identity);
  }

  /** Both sides' NATs as far as they are known, and what was done: for a report. */
  describe(): string {
    const { local, remote, prospects } = this.#conversation;
    const hard = "a NAT that gives every peer another port keeps TCP out";
    const parts = [`here ${describeBehaviour(local)}`, `there ${describeBehaviour(remote)}`];
    const forbidden = this.drops.has("forbidden") ? ["the peer has addresses that are forbidden here"] : [];
    return [
      ...(prospects.arePoor ? [hard] : []),
      ...parts,
      `connections tried: ${this.tried}`,
      ...forbidden,
    ].join("; ");
  }

  /** Whether the peer is, or may be, at the other end of a link. */
  get heard(): boolean {
    return [...this.#links.values()].some((link) => link.heard);
  }

  /** Another address of ours, to be told to the peer; not after `complete`. */
  addCandidate(candidate: TcpCandidate): void {
    this.#conversation.add(candidate);
  }

  /** All own candidates that can be had are there, and this is known of our NATs. */
  complete(nat: NatBehaviour, now: Instant): void {
    this.#conversation.complete(nat, now);
    this.#goOn(now);
  }

  /** A signal of the peer. */
  handleSignal(body: Json, now: Instant): void {
    const signal = ++this.#signals > MAX_SIGNALS ? undefined : readTcpSignal(body);
    if (signal?.identity) this.codec.meet(signal.identity);
    if (!signal || !this.codec.complete) {
      this.#drop(this.#signals > MAX_SIGNALS ? "too-many" : signal ? "no-identity" : "malformed");
      return;
    }
    for (let i = 0; i < signal.malformed; i++) this.#drop("malformed");
    this.#conversation.hear(signal, now);
    for (const candidate of signal.candidates) this.#addTarget(candidate, now);
    for (const link of this.#links.values()) this.#ask(link);
    this.#goOn(now);
  }

  /** The peer has left the dialog: nothing new is begun, what is open may still be chosen. */
  leave(now: Instant): void {
    this.#conversation.peerSpent = true;
    this.#targets.length = 0;
    this.#began = { until: now };
    this.#goOn(now);
  }

  #addTarget(candidate: TcpCandidate, now: Instant): void {
    const { address } = candidate;
    const fault = this.#faultOf(candidate);
    if (fault) {
      this.#drop(fault);
      return;
    }
    const { reach } = this.#options;
    const patience = reach(address) === "private" ? NEAR_PATIENCE : PATIENCE;
    const target = new Target(candidate, candidate.kind, patience, isOutside(address, reach));
    if (!target.mutual) target.due = now;
    this.#targets.push(target);
  }

  /** Why nothing is sent there, if so. TCP can connect to itself. */
  #faultOf(candidate: TcpCandidate): TcpPunchDrop | undefined {
    const { reach, families } = this.#options;
    if (this.#targets.length >= MAX_CANDIDATES || this.#began) return "too-many";
    if (reach(candidate.address) === "forbidden") return "forbidden";
    if (this.#conversation.isOwn(candidate)) return "self";
    return families.includes(ipFamily(candidate.address) === 6 ? 6 : 4) ? undefined : "no-socket";
  }

  #drop(reason: TcpPunchDrop): void {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + 1);
  }

  /** Somebody has connected to where we listen: the link's number; undefined if there are too many. */
  accepted(remote: SocketAddress, now: Instant): number | undefined {
    const count = [...this.#links.values()].filter(({ kind }) => kind === "accepted").length;
    if (this.#over || count >= MAX_ACCEPTED) {
      this.#drop("too-many");
      return undefined;
    }
    const link = this.#addLink(remote, "accepted", now + CHECK_TIME);
    this.#open(link, now);
    return link.id;
  }

  /** A connection that was wanted is there. */
  opened(id: number, now: Instant): void {
    const link = this.#links.get(id);
    if (link) this.#open(link, now);
  }

  #addLink(remote: SocketAddress, kind: Link["kind"], deadline: Instant): Link {
    const id = this.#nextLink++;
    const link = new Link(id, remote, kind, this.#options.random, deadline);
    this.#links.set(id, link);
    return link;
  }

  #open(link: Link, now: Instant): void {
    link.open = true;
    link.repeatsAt = undefined;
    link.deadline = now + CHECK_TIME;
    this.#ask(link);
  }

  #ask(link: Link): void {
    const data = link.open ? link.ask(this.codec) : undefined;
    if (data) this.#out.push({ link: link.id, data });
  }

  /** A link is gone, or never came to be. */
  closed(id: number, now: Instant): void {
    const link = this.#links.get(id);
    if (!link) return;
    this.#links.delete(id);
    const target = this.#targets.find((one) => one.link === link);
    if (target) this.#retry(target, link, now);
    this.#goOn(now);
  }

  /** Who refuses may be ready a moment later, as long as both are at it; who is silent stays so, and nobody listens later. */
  #retry(target: Target, link: Link, now: Instant): void {
    target.link = undefined;
    const again = nextMoment(this.#conversation.beginsAt ?? now, now, this.#options.opener);
    const wasTold = now < link.deadline && !link.strange;
    const isAtIt = target.mutual && target.kind !== "predicted" && !this.#awaits;
    if (isAtIt && wasTold && again < this.#until) target.due = again;
  }

  get #until(): Instant {
    return this.#began?.until ?? Number.NEGATIVE_INFINITY;
  }

  /** A STUN message that came over a link. */
  handleFrame(id: number, frame: Uint8Array, now: Instant): void {
    const link = this.#links.get(id);
    const result = link?.receive(frame, this.codec);
    if (!link || this.#over) return;
    if (result === "nominated") {
      // The choice is the opener's.
      if (this.#options.opener) this.#refuse(link, "disorder", now);
      else this.#choose(link);
    } else if (typeof result === "string") {
      this.#refuse(link, result, now);
    } else {
      if (result) this.#out.push({ link: id, data: result });
      if (link.proven && this.#options.opener) this.#nominate(link);
    }
  }

  /** What came over a link is no STUN, or too long. */
  handleNonsense(id: number, now: Instant): void {
    const link = this.#links.get(id);
    if (!link) return;
    link.strange = true;
    this.#refuse(link, "message", now);
  }

  #refuse(link: Link, reason: TcpPunchDrop, now: Instant): void {
    this.#drop(reason);
    this.#close(link, now);
  }

  #close({ id }: Link, now: Instant): void {
    if (this.#over) return;
    this.#events.push({ type: "close", link: id });
    this.closed(id, now);
  }

  #nominate(link: Link): void {
    const data = link.nominate(this.codec);
    if (data) this.#out.push({ link: link.id, data });
    this.#choose(link);
  }

  #choose({ id, remote, kind }: Link): void {
    this.#over = true;
    this.#events.push({ type: "chosen", link: id, remote, kind });
  }

  handleTimeout(now: Instant): void {
    for (const link of [...this.#links.values()]) {
      if (link.deadline <= now || !this.#mayRepeat(link, now)) this.#close(link, now);
    }
    this.#goOn(now);
  }

  /** The system is about to send a SYN once more, which counts like any other datagram. */
  #mayRepeat(link: Link, now: Instant): boolean {
    const { repeatsAt } = link;
    if (repeatsAt === undefined || repeatsAt > now) return true;
    link.repeatsAt = repeatsAt + 2 * REPEAT;
    return this.#take(link.remote);
  }

  #take(remote: SocketAddress): boolean {
    const granted = this.#budget.take(remote);
    if (!granted) this.#drop("budget");
    return granted;
  }

  /** Does what is due. */
  #goOn(now: Instant): void {
    if (this.#over) return;
    const { beginsAt } = this.#conversation;
    const begins = !this.#began && beginsAt !== undefined && beginsAt <= now;
    if (begins) this.#begin(beginsAt);
    for (const target of this.#targets) {
      if (target.due !== undefined && target.due <= now && !target.link) this.#connect(target, now);
    }
    // What listens on a port keeps the system from connecting from there.
    if (begins && this.#awaits) this.#events.push({ type: "await" });
    this.#rest(now);
  }

  #begin(now: Instant): void {
    const { prospects } = this.#conversation;
    const seen = this.#targets.findLast(({ kind }) => kind === "reflexive")?.remote;
    // Nobody but the attested IP gets guesses.
    if (seen && this.#budget.isAttested(seen.address)) this.#targets.push(...prospects.guessesAfter(seen));
    const usable = this.#targets.filter((target) => prospects.allow(target));
    for (const target of usable) if (target.mutual) target.due = now;
    this.#began = { until: now + Math.max(0, ...usable.map((target) => prospects.patienceFor(target))) };
    this.#awaits = prospects.mustAwait;
  }

  #connect(target: Target, now: Instant): void {
    const { remote, kind } = target;
    target.due = undefined;
    if (!this.#take(remote)) return;
    this.tried++;
    const deadline = now + target.patience;
    const link = this.#addLink(remote, kind, target.mutual ? Math.min(deadline, this.#until) : deadline);
    link.repeatsAt = now + REPEAT - MARGIN;
    target.link = link;
    this.#events.push({ type: "connect", link: link.id, remote, shared: target.mutual });
  }

  /**
   * Notices when nothing can come any more, here and there. When we say so does not depend on who answers to us: the peer, who names
   * the addresses, learns nothing of them.
   */
  #rest(now: Instant): void {
    const { until } = this.#began ?? {};
    if (until === undefined || now < until || this.heard) return;
    this.#restsAt ??= now + GRACE;
    this.#conversation.spent();
    if (!this.#conversation.peerSpent && now < this.#restsAt) return;
    this.#over = true;
    this.#events.push({ type: "exhausted" });
  }

  pollTransmit(): LinkFrame | undefined {
    return this.#out.shift();
  }

  pollEvent(): TcpPunchEvent | undefined {
    const event = this.#events.shift();
    if (event || this.#over || !(this.#options.opener || this.codec.complete)) return event;
    const body = this.#conversation.next();
    return body && { type: "signal", body };
  }

  pollTimeout(): Instant | undefined {
    if (this.#over) return undefined;
    return earliest([
      ...[...this.#links.values()].flatMap(({ deadline, repeatsAt }) => [deadline, repeatsAt]),
      ...this.#targets.map(({ due, link }) => (link ? undefined : due)),
      this.#began ? undefined : this.#conversation.beginsAt,
      this.heard ? undefined : (this.#restsAt ?? this.#began?.until),
    ]);
  }
}
