import { toHex } from "../../src/base/bytes.ts";
import type { Instant, Millis } from "../../src/contract/clock.ts";
import type { Place } from "../../src/contract/directory.ts";
import type { Engine } from "../../src/contract/engine.ts";
import { Accounts } from "./accounts.ts";
import {
  type DirectoryTask,
  decodePost,
  Mailroom,
  type Outgoing,
  type Post,
  type RegistrarCounters,
} from "./mailroom.ts";
import { Member } from "./member.ts";
import { sameProof } from "./proof.ts";
import {
  type ClientMessage,
  decodeClientMessage,
  PROTOCOL_VERSION,
  type RegistrarServices,
} from "./protocol.ts";
import { Registrations, type RegistrationsOptions } from "./registrations.ts";
import { Relay } from "./relay.ts";
import { Switchboard } from "./switchboard.ts";

/** How long a connection may take to say hello, in ms (chosen: a slow network's round trip, ten times). */
const GREETING_TIMEOUT: Millis = 10_000;

/** How long a connection may be silent, in ms: three times what clients let pass between pings. */
export const IDLE_TIMEOUT: Millis = 75_000;

/** WebSocket statuses (RFC 6455 §7.4.1 and its registry). */
const STATUS = { unsupported: 1002, policy: 1008, restart: 1012, later: 1013 } as const;

/** What a registrar is made of. */
export interface RegistrarOptions extends RegistrationsOptions {
  /** What every client has to know; default: nobody is asked. */
  readonly token?: string | undefined;
  /** What a client is offered besides dialogs; `client` tells apart who asks. Default: nothing. */
  readonly services?: ((client: string) => RegistrarServices) | undefined;
  /** Relay channels; called when `relay.take` has something for a connection. Default: relay nothing. */
  readonly onRelayed?: ((connection: number) => void) | undefined;
}

/** How much there is now. */
export interface RegistrarGauges {
  readonly connections: number;
  readonly registrations: number;
  readonly dialogs: number;
}

/**
 * The registrar without its sockets: takes what connections say and what the directory answers, and gives
 * frames to send and tasks for the directory. Whatever a connection does, the others do not notice.
 */
export class Registrar implements Engine<DirectoryTask, Outgoing> {
  /** This run's name in the directory. */
  readonly name: string;
  readonly counters: RegistrarCounters;
  /** Undefined where nothing is relayed. */
  readonly relay: Relay | undefined;
  readonly #options: RegistrarOptions;
  readonly #mailroom: Mailroom;
  readonly #accounts: Accounts;
  readonly #registrations: Registrations;
  readonly #switchboard: Switchboard;
  /** When each connection came that has not said hello; oldest first. */
  readonly #strangers = new Map<Member, Instant>();
  /** When each connection was last heard; oldest first. */
  readonly #heard = new Map<Member, Instant>();
  /** The time of what is being handled. */
  #now: Instant = 0;
  #draining = false;
  #outgoing: Outgoing[] = [];
  #outgoingAt = 0;
  #tasks: DirectoryTask[] = [];
  #tasksAt = 0;

  constructor(options: RegistrarOptions) {
    this.#options = options;
    this.name = toHex(options.random.fill(new Uint8Array(16)));
    this.#mailroom = new Mailroom(this.name, (post) => this.#receive(post));
    this.counters = this.#mailroom.counters;
    this.#accounts = new Accounts(options.limits);
    this.#registrations = new Registrations(this.#mailroom, options);
    this.#switchboard = new Switchboard(this.#mailroom, options.limits);
    const { limits, onRelayed } = options;
    this.relay = onRelayed && new Relay(this.#mailroom, limits, onRelayed);
  }

  /**
   * Somebody has connected. `id` is never used twice, `address` an IP literal, `publicKey` what the connection itself
   * has proved.
   */
  handleConnect(id: number, address: string, now: Instant, publicKey?: Uint8Array): void {
    this.counters.connects++;
    const { limits } = this.#options;
    const refusal = this.#refusesConnections();
    const account = refusal ?? this.#accounts.enter(address, now);
    if (typeof account === "string") {
      this.#mailroom.cut(id, STATUS.later, account);
      return;
    }
    const member = new Member(id, address, account, limits, publicKey);
    this.#mailroom.members.set(id, member);
    this.#strangers.set(member, now);
    this.#heard.set(member, now);
  }

  /** A text frame has come; undefined: one that is not text. */
  handleFrame(id: number, frame: string | undefined, now: Instant): void {
    const member = this.#hear(id, now);
    if (!member) return;
    if (!member.messages.take(now)) {
      const { messageRate } = this.#options.limits;
      this.#cut(member, STATUS.policy, `at most ${messageRate} messages a second`, now);
      return;
    }
    const message = frame === undefined ? undefined : decodeClientMessage(frame);
    if (!message || (!member.greeted && message.type !== "hello")) {
      this.#reject(member, now);
      return;
    }
    if (message.type === "hello") this.#greet(member, message, now);
    else if (message.type !== "unknown") this.#obey(member, message, now);
  }

  /** A binary frame has come. */
  handleRelayed(id: number, frame: Uint8Array, now: Instant): void {
    const member = this.#hear(id, now);
    if (!member) return;
    if (!member.greeted || !this.relay?.handleFrame(member, frame, now)) this.#reject(member, now);
  }

  /** A connection does not read what a dialog brings it, and what waited of that is forgotten: the dialog is over. */
  handleUnread(id: number, dialog: number): void {
    const member = this.#mailroom.members.get(id);
    if (member) this.#switchboard.unread(member, dialog);
  }

  /** A connection is gone. */
  handleDisconnect(id: number, now: Instant): void {
    const member = this.#mailroom.members.get(id);
    if (member) this.#remove(member, now);
  }

  /** A post of another registrar. */
  handlePost(text: string, now: Instant): void {
    this.#now = now;
    const post = decodePost(text);
    if (post) this.#receive(post);
  }

  /** The directory's answer to a task, or the error it met. */
  handleAnswer(task: DirectoryTask, answer: Place | undefined | boolean | Error): void {
    if (task.type === "deliver" && answer !== true) {
      this.#switchboard.undelivered(task);
      this.relay?.lost(task.registrar);
    }
    if (typeof answer === "boolean") return;
    if (task.type === "claim") this.#registrations.claimed(task, answer);
    if (task.type === "locate") this.#switchboard.located(task, answer);
  }

  /** Takes no connections and dialogs any more. Cuts who has no dialog, and asks the others to go after theirs. */
  drain(now: Instant): void {
    this.#draining = true;
    for (const member of this.#mailroom.members.values()) {
      if (member.dialogs.size > 0 || this.relay?.has(member))
        this.#mailroom.send(member, { type: "draining" });
      else this.#cut(member, STATUS.restart, "this registrar is about to stop", now);
    }
  }

  /** What `/metrics` tells besides the counters. */
  gauges(): RegistrarGauges {
    let registrations = 0;
    let ends = 0;
    for (const { uids, dialogs } of this.#mailroom.members.values()) {
      registrations += uids.size;
      ends += dialogs.size;
    }
    return { connections: this.#mailroom.members.size, registrations, dialogs: ends };
  }

  handleTimeout(now: Instant): void {
    for (const [member, since] of this.#strangers) {
      if (since + GREETING_TIMEOUT > now) break;
      this.#cut(member, STATUS.policy, "no hello in 10 s", now);
    }
    for (const [member, at] of this.#heard) {
      if (at + IDLE_TIMEOUT > now) break;
      this.#cut(member, STATUS.policy, "silent for 75 s", now);
    }
    this.relay?.handleTimeout(now);
  }

  pollTransmit(): Outgoing | undefined {
    if (this.#outgoingAt >= this.#outgoing.length) {
      this.#outgoing = this.#mailroom.takeOutgoing();
      this.#outgoingAt = 0;
    }
    return this.#outgoing[this.#outgoingAt++];
  }

  pollEvent(): DirectoryTask | undefined {
    if (this.#tasksAt >= this.#tasks.length) {
      this.#tasks = this.#mailroom.takeTasks();
      this.#tasksAt = 0;
    }
    return this.#tasks[this.#tasksAt++];
  }

  pollTimeout(): Instant | undefined {
    const oldest = first(this.#heard);
    if (oldest === undefined) return undefined;
    const stranger = first(this.#strangers) ?? Number.POSITIVE_INFINITY;
    const relayed = this.relay?.pollTimeout() ?? Number.POSITIVE_INFINITY;
    return Math.min(oldest + IDLE_TIMEOUT, stranger + GREETING_TIMEOUT, relayed);
  }

  #refusesConnections(): string | undefined {
    const { connections } = this.#options.limits;
    if (this.#draining) return "this registrar is about to stop";
    if (this.#mailroom.members.size >= connections) return `at most ${connections} connections`;
    return undefined;
  }

  #greet(member: Member, { version, token }: ClientMessage & { type: "hello" }, now: Instant): void {
    if (version !== PROTOCOL_VERSION) {
      this.#cut(member, STATUS.policy, `this registrar speaks version ${PROTOCOL_VERSION}`, now);
    } else if (!this.#knowsToken(token)) {
      this.#cut(member, STATUS.policy, "this registrar asks for another token", now);
    } else {
      member.greeted = true;
      this.#strangers.delete(member);
      this.#mailroom.send(member, {
        type: "hello",
        version,
        address: member.address,
        ...(this.relay && { relay: true }),
      });
    }
  }

  #knowsToken(token: string | undefined): boolean {
    const { token: expected, crypto } = this.#options;
    if (expected === undefined) return true;
    const encoder = new TextEncoder();
    const [a, b] = [token ?? "", expected].map((text) => crypto.sha256(encoder.encode(text)));
    return sameProof(a!, b!);
  }

  #obey(member: Member, message: Exclude<ClientMessage, { type: "hello" }>, now: Instant): void {
    switch (message.type) {
      case "signal":
        this.#switchboard.signal(member, message, now);
        break;
      case "open":
        if (this.#draining) this.#mailroom.send(member, refusedOpen(message.dialog));
        else this.#switchboard.open(member, message, now);
        break;
      case "close":
        this.#switchboard.close(member, message);
        break;
      case "challenge":
        this.#registrations.challenge(member, message.request, now);
        break;
      case "register":
        this.#registrations.register(member, message, now);
        break;
      case "enrol":
        this.#registrations.enrol(member, message, now);
        break;
      case "unregister":
        this.#registrations.unregister(member, message.uid);
        break;
      case "relay":
        this.relay?.ask(member, message.dialog, now);
        break;
      case "services":
        this.#tellServices(member, message.request);
        break;
      case "ping":
        this.#mailroom.send(member, { type: "pong" });
    }
  }

  #tellServices(member: Member, request: number): void {
    const client = `${this.name.slice(0, 8)}-${member.id}`;
    const { stun = [], turn = [] } = this.#options.services?.(client) ?? {};
    this.#mailroom.send(member, { type: "services", request, stun, turn });
  }

  #receive(post: Post): void {
    const member = this.#mailroom.members.get(post.to);
    if (post.type === "relay" || post.type === "relayed") this.relay?.receive(post, member, this.#now);
    else if (post.type !== "evict") this.#switchboard.receive(post, member);
    else if (member) this.#registrations.evict(member, post.uid);
  }

  /** Whose frame it is, and that it was heard. */
  #hear(id: number, now: Instant): Member | undefined {
    this.#now = now;
    const member = this.#mailroom.members.get(id);
    if (!member) return undefined;
    this.#heard.delete(member);
    this.#heard.set(member, now);
    return member;
  }

  #reject(member: Member, now: Instant): void {
    this.counters.malformed++;
    this.#cut(member, STATUS.unsupported, "that is no message of the protocol", now);
  }

  #cut(member: Member, status: number, reason: string, now: Instant): void {
    this.#mailroom.cut(member.id, status, reason);
    this.#remove(member, now);
  }

  #remove(member: Member, now: Instant): void {
    this.#mailroom.members.delete(member.id);
    this.#strangers.delete(member);
    this.#heard.delete(member);
    this.#accounts.leave(member.account, now);
    this.relay?.leave(member);
    this.#switchboard.leave(member);
    this.#registrations.leave(member);
  }
}

function first(times: ReadonlyMap<Member, Instant>): Instant | undefined {
  for (const at of times.values()) return at;
  return undefined;
}

function refusedOpen(dialog: number): { type: "close"; dialog: number; code: "draining" } {
  return { type: "close", dialog, code: "draining" };
}
