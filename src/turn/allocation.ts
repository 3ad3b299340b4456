import { Deadlines } from "../base/deadlines.ts";
import type { Instant, Millis } from "../contract/clock.ts";
import type { Datagram, SocketAddress } from "../contract/datagram-socket.ts";
import type { DatagramEngine } from "../contract/engine.ts";
import { XOR_MAPPED_ADDRESS } from "../stun/addresses.ts";
import type { AttributeDraft } from "../stun/attribute.ts";
import { StunClient, type StunClientDrop } from "../stun/client.ts";
import { BAD_REQUEST } from "../stun/errors.ts";
import { isChannelData } from "../stun/framing.ts";
import { classOf, looksLikeStun } from "../stun/message.ts";
import type { Schedule } from "../stun/transaction.ts";
import {
  ALLOCATE,
  ALLOCATION_MISMATCH,
  KNOWN_TURN_ATTRIBUTES,
  LIFETIME,
  REFRESH,
  REQUESTED_ADDRESS_FAMILY,
  REQUESTED_TRANSPORT,
  TCP_PROTOCOL,
  UDP_PROTOCOL,
  XOR_RELAYED_ADDRESS,
} from "./attributes.ts";
import { dataOf } from "./channel-data.ts";
import { mayPass, type Outcome, outcomeOf, type TurnFailure } from "./failure.ts";
import { decodeIndication, encodeKeepAlive } from "./indications.ts";
import { RETRY_AFTER } from "./leases.ts";
import type { AllocationOptions, TurnDrop, TurnEvent } from "./options.ts";
import { Peers } from "./peers.ts";

/** What a server gives that says nothing else, and the most we believe (RFC 8656 §7.2), in seconds. */
const DEFAULT_LIFETIME = 600;
const MAX_LIFETIME = 3600;
/** Of the lifetime, when to refresh: there is time for several attempts. */
const REFRESH_AT = 0.5;
/** What keeps a NAT's mapping towards the server open (chosen, as uTP's keepalive; RFC 4787 REQ-5 asks for 2 min). */
const KEEP_ALIVE: Millis = 25_000;
/** How long a server may take to allocate: 5 s (chosen, as registrars), asked more often than RFC 8489 §6.2.1 would in that time. */
const ALLOCATE_SCHEDULE = { datagrams: [500, 500, 1000, 1000, 1000, 1000], stream: [5000] } as const;
/** How long a server may take to release (chosen): it forgets by itself, later. */
const RELEASE_PATIENCE: Millis = 2500;

interface Pending {
  readonly method: number;
  readonly settle: (outcome: Outcome, now: Instant) => void;
}

type State = "new" | "allocating" | "allocated" | "releasing" | "over";

/**
 * One allocation on a TURN server (RFC 8656), from `allocate` to `release`. Refreshes itself and the permissions and channels
 * that are in use, and keeps a NAT's mapping open. Only datagrams from the server may be given to it.
 */
export class Allocation implements DatagramEngine<TurnEvent> {
  /** What was dropped, by reason. */
  readonly drops: Map<TurnDrop | StunClientDrop, number>;
  readonly #options: AllocationOptions;
  readonly #client: StunClient;
  readonly #peers: Peers;
  readonly #deadlines = new Deadlines<"refresh" | "expiry" | "keepalive" | "release">();
  readonly #pending = new Map<number, Pending>();
  /** Answers that hold if the allocation is still there. */
  readonly #doubted: ((now: Instant) => void)[] = [];
  #events: TurnEvent[] = [];
  #state: State = "new";
  #refreshing = false;
  #keepAlive = false;
  #lifetime: Millis = 0;
  #relayed: SocketAddress | undefined;
  #reflexive: SocketAddress | undefined;

  constructor(options: AllocationOptions) {
    this.#options = options;
    this.#client = new StunClient({
      random: options.random,
      reliable: options.reliable,
      known: KNOWN_TURN_ATTRIBUTES,
    });
    this.drops = this.#client.drops as Map<TurnDrop | StunClientDrop, number>;
    this.#peers = new Peers({
      random: options.random,
      ask: (method, attributes, settle) => this.#ask(method, attributes, settle),
      emit: (event) => this.#events.push(event),
      onWork: options.onWork,
    });
  }

  /** Where peers send to, once allocated. */
  get relayed(): SocketAddress | undefined {
    return this.#relayed;
  }

  /** Where the server sees us, once allocated. */
  get reflexive(): SocketAddress | undefined {
    return this.#reflexive;
  }

  /** Ends in `allocated` or `failed`. */
  allocate(): void {
    if (this.#state !== "new") return;
    this.#state = "allocating";
    const { family, reliable, peers } = this.#options;
    const attributes = [REQUESTED_TRANSPORT.of(peers === "tcp" ? TCP_PROTOCOL : UDP_PROTOCOL)];
    if (family !== undefined) attributes.push(REQUESTED_ADDRESS_FAMILY.of(family));
    const schedule = ALLOCATE_SCHEDULE[reliable ? "stream" : "datagrams"];
    this.#ask(ALLOCATE, attributes, (outcome, now) => this.#allocated(outcome, now), schedule);
  }

  #allocated({ message, failure }: Outcome, now: Instant): void {
    if (!message) {
      this.#over(this.#state === "releasing" ? { type: "released" } : { type: "failed", failure });
      return;
    }
    this.#relayed = XOR_RELAYED_ADDRESS.in(message);
    this.#reflexive = XOR_MAPPED_ADDRESS.in(message);
    if (this.#state === "releasing") this.#giveBack();
    else if (!this.#relayed) this.#over({ type: "failed", failure: { reason: "malformed" } });
    else {
      this.#state = "allocated";
      this.#keepFor(LIFETIME.in(message), now);
      this.#events.push({ type: "allocated" });
      if (!this.#options.reliable) this.#deadlines.set("keepalive", now + KEEP_ALIVE);
    }
  }

  #keepFor(seconds = DEFAULT_LIFETIME, now: Instant): void {
    this.#lifetime = 1000 * Math.min(seconds, MAX_LIFETIME);
    this.#deadlines.set("refresh", now + REFRESH_AT * this.#lifetime);
    this.#deadlines.set("expiry", now + this.#lifetime);
  }

  /** Lets a peer's IP address, a canonical literal, send to us: ends in `permitted` or `denied`. Kept as long as it is used. */
  permit(address: string, now: Instant): void {
    if (this.#state === "allocated") this.#peers.permit(address, now);
    else this.#events.push({ type: "denied", address, failure: { reason: "expired" } });
  }

  /** Gives the allocation back; ends in `released`. Nothing else comes any more. */
  release(now: Instant): void {
    if (this.#state === "releasing" || this.#state === "over") return;
    const { reliable } = this.#options;
    const before = this.#state;
    this.#state = "releasing";
    this.#peers.clear({ reason: "expired" });
    this.#deadlines.clearAll();
    if (before === "new") this.#over({ type: "released" });
    else {
      this.#deadlines.set("release", now + RELEASE_PATIENCE);
      if (before === "allocated") this.#giveBack();
      // A stream that ends takes what was not allocated yet with it.
      else if (reliable) this.#over({ type: "released" });
    }
  }

  #giveBack(): void {
    this.#ask(REFRESH, [LIFETIME.of(0)], () => this.#over({ type: "released" }));
  }

  /**
   * The frame that carries a datagram to a peer, valid until the next call; undefined if the peer has no permission. A peer that
   * gets several datagrams gets a channel.
   */
  frame(data: Uint8Array, remote: SocketAddress, now: Instant): Uint8Array | undefined {
    if (this.#state !== "allocated") return undefined;
    return this.#peers.frame(data, remote, now);
  }

  /** The frame last given is still being read: do not write into it again. */
  detachBuffer(): void {
    this.#peers.detachBuffer();
  }

  /** Whom a frame of ChannelData is from, else undefined. Changes nothing, so that no verb need follow. */
  peerOf(frame: Uint8Array, now: Instant): SocketAddress | undefined {
    return this.#state === "allocated" && isChannelData(frame) ? this.#peers.peerOf(frame, now) : undefined;
  }

  /** The network refuses what is sent to the server. */
  sendFailed(code: string, now: Instant): void {
    this.#client.sendFailed(code, undefined);
    this.#settle(now);
    // A server that ended has forgotten us; if it is a lie, it answers.
    if (code === "ECONNREFUSED" && this.#state === "allocated") this.#refresh();
  }

  /** The way to the server is gone, for the reason of that system error. */
  disconnected(code: string): void {
    if (this.#state === "allocated") this.#lost({ reason: code });
    else if (this.#state === "releasing") this.#over({ type: "released" });
    else this.#over({ type: "failed", failure: { reason: code } });
  }

  handleDatagram({ data, remote }: Datagram, now: Instant): void {
    if (isChannelData(data)) this.#drop(dataOf(data) ? "channel" : "length");
    else if (looksLikeStun(data) && classOf(data) === "indication") this.#receive(data, now);
    else this.#client.handleDatagram({ data, remote }, now);
    this.#settle(now);
  }

  #receive(data: Uint8Array, now: Instant): void {
    if (this.#state !== "allocated") this.#drop("unallocated");
    else {
      const indication = decodeIndication(data);
      const overTcp = this.#options.peers === "tcp";
      if (!indication || (indication.type === "attempt") !== overTcp) this.#drop("indication");
      else if (!this.#peers.admits(indication.remote, now)) this.#drop("peer");
      else this.#events.push(indication);
    }
  }

  #drop(reason: TurnDrop): void {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + 1);
  }

  handleTimeout(now: Instant): void {
    for (let due = this.#deadlines.takeExpired(now); due; due = this.#deadlines.takeExpired(now)) {
      if (due === "refresh") this.#refresh();
      else if (due === "keepalive") {
        this.#keepAlive = true;
        this.#deadlines.set("keepalive", now + KEEP_ALIVE);
      } else if (due === "release") this.#over({ type: "released" });
      else this.#over({ type: "lost", failure: { reason: "expired" } });
    }
    if (this.#state === "allocated") this.#peers.handleTimeout(now);
    this.#client.handleTimeout(now);
    this.#settle(now);
  }

  #refresh(): void {
    if (this.#refreshing) return;
    this.#refreshing = true;
    this.#deadlines.clear("refresh");
    this.#ask(REFRESH, [], (outcome, now) => this.#refreshed(outcome, now));
  }

  #refreshed({ message, failure }: Outcome, now: Instant): void {
    this.#refreshing = false;
    if (this.#state !== "allocated") return;
    if (failure && !mayPass(failure)) {
      this.#lost(failure);
      return;
    }
    if (message) this.#keepFor(LIFETIME.in(message), now);
    else this.#deadlines.set("refresh", now + RETRY_AFTER);
    for (const settle of this.#doubted.splice(0)) settle(now);
  }

  pollTransmit(now: Instant): Datagram | undefined {
    this.#settle(now);
    if (!this.#keepAlive) return this.#client.pollTransmit(now);
    this.#keepAlive = false;
    return { data: encodeKeepAlive(this.#options.random), remote: this.#options.server };
  }

  pollEvent(): TurnEvent | undefined {
    return this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    const times = [this.#deadlines.next(), this.#client.pollTimeout(), this.#peers.next()];
    const earliest = Math.min(...times.map((at) => at ?? Number.POSITIVE_INFINITY));
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }

  #ask(
    method: number,
    attributes: readonly AttributeDraft[],
    settle: Pending["settle"],
    schedule?: Schedule,
  ): void {
    const { server: to, credentials } = this.#options;
    const request = { to, method, attributes, credentials, ...(schedule ? { schedule } : {}) };
    this.#pending.set(this.#client.request(request), { method, settle });
  }

  #settle(now: Instant): void {
    for (let event = this.#client.pollEvent(); event; event = this.#client.pollEvent()) {
      const pending = this.#pending.get(event.handle);
      this.#pending.delete(event.handle);
      if (pending) this.#conclude(pending, outcomeOf(event), now);
    }
  }

  #conclude({ method, settle }: Pending, outcome: Outcome, now: Instant): void {
    const status = this.#state === "allocated" ? outcome.failure?.status : undefined;
    if (status === ALLOCATION_MISMATCH) this.#lost(outcome.failure!);
    else if (status === BAD_REQUEST && method !== REFRESH) this.#doubt((then) => settle(outcome, then));
    else settle(outcome, now);
  }

  /** A server without our allocation may say that a request is bad (coturn 4.6 does): it is asked for the allocation itself. */
  #doubt(settle: (now: Instant) => void): void {
    this.#doubted.push(settle);
    this.#refresh();
  }

  #lost(failure: TurnFailure): void {
    this.#over({ type: "lost", failure });
  }

  #over(event: TurnEvent): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#deadlines.clearAll();
    this.#keepAlive = false;
    for (const handle of this.#pending.keys()) this.#client.cancel(handle);
    this.#pending.clear();
    this.#doubted.length = 0;
    this.#peers.clear(("failure" in event && event.failure) || { reason: "expired" });
    this.#events.push(event);
  }
}
