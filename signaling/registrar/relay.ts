import type { Instant, Millis } from "../../src/contract/clock.ts";
import { grantIn } from "../../src/host/link-channel.ts";
import type { RegistrarLimits } from "./limits.ts";
import type { Mailroom, Post } from "./mailroom.ts";
import type { Member } from "./member.ts";
import type { RefusalCode } from "./protocol.ts";
import { RelayDesk, RelayEnd } from "./relay-end.ts";
import { address, dialogOf, encodeRelayed, KIND, MAX_RELAYED, messageOf, wordOf } from "./relay-frame.ts";

/** How long one side waits for the other, in ms (chosen: twice what a registrar may take to answer). */
const PAIRING_TIMEOUT: Millis = 10_000;

/** The longest word (chosen: `grant` and eight digits). */
const MAX_WORD = 32;

/** What happened since the start, for `/metrics`. */
export interface RelayCounters {
  channels: number;
  frames: number;
  bytes: number;
}

/** The posts that are about channels. */
export type RelayPost = Post & { readonly type: "relay" | "relayed" };

/**
 * Carries bytes between the two ends of a dialog, unread. Each client sends what the other has room for and no more, so that
 * at most a window of each direction waits here; whoever sends more loses that channel.
 */
export class Relay {
  readonly counters: RelayCounters = { channels: 0, frames: 0, bytes: 0 };
  readonly #mailroom: Mailroom;
  readonly #limits: RegistrarLimits;
  readonly #onReady: (connection: number) => void;
  readonly #desks = new Map<number, RelayDesk>();
  /** Those of which one side has not asked, and since when; oldest first. */
  readonly #unpaired = new Map<RelayEnd, Instant>();
  /** Those that have sent too fast, and when they go on. */
  readonly #held = new Map<RelayEnd, Instant>();
  #size = 0;

  /** `onReady`: `take` has something for a connection. */
  constructor(mailroom: Mailroom, limits: RegistrarLimits, onReady: (connection: number) => void) {
    this.#mailroom = mailroom;
    this.#limits = limits;
    this.#onReady = onReady;
  }

  /** Ends of channels. */
  get size(): number {
    return this.#size;
  }

  has({ id }: Member): boolean {
    return this.#desks.has(id);
  }

  /** A client wants the channel of a dialog. */
  ask(member: Member, dialog: number, now: Instant): void {
    const known = this.#desks.get(member.id)?.ends.get(dialog);
    if (known?.asked) return;
    const peer = member.dialogs.get(dialog);
    const refusal = this.#refuses(member, known ? 0 : 1);
    const end = known ?? (peer && !refusal ? this.#create(member, dialog, peer, now) : undefined);
    if (refusal || !end) {
      const code = refusal ?? "lost";
      if (known) this.#reset(known, code);
      else this.#send(this.#deskOf(member), encodeRelayed(dialog, KIND.reset, code));
      return;
    }
    end.account = member.account;
    end.account.relays++;
    end.desk.asked++;
    const from = this.#mailroom.placeOf(member);
    const { place, peerDialog } = end;
    const post = { to: place.connection, dialog: peerDialog, from, peerDialog: dialog };
    this.#mailroom.post(place.registrar, { type: "relay", ...post });
    this.#pair(end);
  }

  /** A post about a channel has come for a member that may be gone. */
  receive(post: RelayPost, member: Member | undefined, now: Instant): void {
    if (post.type === "relayed") {
      const end = this.#desks.get(post.to)?.ends.get(post.dialog);
      if (end) this.#receive(end, post.bytes);
      return;
    }
    const { dialog, from, peerDialog } = post;
    const known = member && this.#desks.get(member.id)?.ends.get(dialog);
    const peer = { place: from, dialog: peerDialog };
    const there = member?.dialogs.has(dialog) === true && this.#size < this.#limits.relays * 2;
    const end = known ?? (there ? this.#create(member, dialog, peer, now) : undefined);
    if (!end) {
      this.#tell(from.registrar, from.connection, peerDialog, "lost");
      return;
    }
    end.peerAsked = true;
    this.#pair(end);
  }

  /** A binary frame of a client. False: it is none of ours. */
  handleFrame({ id }: Member, frame: Uint8Array, now: Instant): boolean {
    const dialog = dialogOf(frame);
    if (dialog === 0 || frame[4]! > KIND.reset) return false;
    const desk = this.#desks.get(id);
    const end = desk?.ends.get(dialog);
    // Its end may be under way to the client.
    if (!desk || !end) return true;
    const fault = desk.frames.take(now) ? this.#faultOf(end, frame) : "too-fast";
    if (fault) this.#reset(end, fault);
    else if (isUrgent(frame)) this.#forward(end, frame);
    else if (end.held.length > 0 || this.#wait(end, now) > 0) this.#hold(end, frame, now);
    else this.#forward(end, frame);
    return true;
  }

  /** The next frame for a connection that can take one. */
  take(connection: number): Uint8Array | undefined {
    const desk = this.#desks.get(connection);
    const frame = desk?.take();
    const end = frame?.[4] === KIND.close ? desk?.ends.get(dialogOf(frame)) : undefined;
    if (end) this.#forget(end);
    this.#settle(connection);
    return frame;
  }

  /** The member is gone. */
  leave({ id }: Member): void {
    const desk = this.#desks.get(id);
    if (!desk) return;
    for (const end of [...desk.ends.values()]) {
      this.#forget(end);
      this.#tell(end.place.registrar, end.place.connection, end.peerDialog, "lost");
    }
    this.#desks.delete(id);
  }

  /** That registrar is gone, and its connections with it. */
  lost(registrar: string): void {
    for (const desk of this.#desks.values()) {
      for (const end of [...desk.ends.values()]) {
        if (end.place.registrar === registrar) this.#drop(end, encodeRelayed(end.dialog, KIND.reset, "lost"));
      }
    }
  }

  handleTimeout(now: Instant): void {
    for (const [end, since] of this.#unpaired) {
      if (since + PAIRING_TIMEOUT > now) break;
      this.#reset(end, "lost");
    }
    for (const [end, at] of [...this.#held]) if (at <= now) this.#release(end, now);
  }

  pollTimeout(): Instant | undefined {
    let next = Number.POSITIVE_INFINITY;
    for (const since of this.#unpaired.values()) {
      next = since + PAIRING_TIMEOUT;
      break;
    }
    for (const at of this.#held.values()) next = Math.min(next, at);
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  #deskOf(member: Member): RelayDesk {
    const desk = this.#desks.get(member.id) ?? new RelayDesk(member.id, this.#limits);
    this.#desks.set(member.id, desk);
    return desk;
  }

  /** Why a client may not have another channel, for which there are so many ends to come here. */
  #refuses({ id, account }: Member, ends: number): RefusalCode | undefined {
    const { relays, relaysPerConnection, relaysPerAddress } = this.#limits;
    const asked = this.#desks.get(id)?.asked ?? 0;
    const full = asked >= relaysPerConnection || account.relays >= relaysPerAddress;
    if (!full && this.#size + ends <= relays * 2) return undefined;
    this.#mailroom.refused("too-many");
    return "too-many";
  }

  #create(
    member: Member,
    dialog: number,
    peer: ConstructorParameters<typeof RelayEnd>[2],
    now: Instant,
  ): RelayEnd {
    const desk = this.#deskOf(member);
    const end = new RelayEnd(desk, dialog, peer, this.#limits.relayRate);
    desk.ends.set(dialog, end);
    this.#unpaired.set(end, now);
    this.#size++;
    return end;
  }

  #pair(end: RelayEnd): void {
    if (!end.open || !this.#unpaired.delete(end)) return;
    // Each is counted once: where it was opened.
    if (end.dialog > 0) this.counters.channels++;
    const member = this.#mailroom.members.get(end.desk.connection);
    if (member) this.#mailroom.send(member, { type: "relay", dialog: end.dialog });
  }

  /** Why the frame costs its client the channel. */
  #faultOf(end: RelayEnd, frame: Uint8Array): RefusalCode | undefined {
    const kind = frame[4];
    const { length } = messageOf(frame);
    if (kind === KIND.reset) return undefined;
    if (!end.open) return "too-fast";
    if (kind === KIND.data) return this.#faultOfData(end, length);
    const word = length > MAX_WORD ? "" : wordOf(frame);
    const allowed = kind === KIND.close ? length === 0 && end.close() : takesWord(end, word);
    return allowed ? undefined : "too-much";
  }

  #faultOfData(end: RelayEnd, length: number): RefusalCode | undefined {
    end.sent += length;
    if (length === 0 || length > MAX_RELAYED) return "too-large";
    if (end.sent > this.#limits.relayBytes) return "too-much";
    return end.spend(length) ? undefined : "too-fast";
  }

  #wait({ pace, desk }: RelayEnd, now: Instant): Millis {
    return Math.max(pace.wait(now), desk.pace.wait(now));
  }

  #hold(end: RelayEnd, frame: Uint8Array, now: Instant): void {
    if (end.held.length === 0) this.#held.set(end, now + this.#wait(end, now));
    end.held.push(frame);
  }

  #release(end: RelayEnd, now: Instant): void {
    while (end.held.length > 0) {
      const wait = this.#wait(end, now);
      if (wait > 0) {
        this.#held.set(end, now + wait);
        return;
      }
      this.#forward(end, end.held.shift()!);
    }
    this.#held.delete(end);
  }

  /** Its client has sent a frame, which is the other one's from now on. */
  #forward(end: RelayEnd, frame: Uint8Array): void {
    const { place, peerDialog, pace, desk } = end;
    if (frame[4] === KIND.data) {
      pace.spend(frame.length);
      desk.pace.spend(frame.length);
      this.counters.frames++;
      this.counters.bytes += messageOf(frame).length;
    }
    if (frame[4] === KIND.close || frame[4] === KIND.reset) this.#forget(end);
    this.#settle(desk.connection);
    address(frame, peerDialog);
    const post = { type: "relayed", to: place.connection, dialog: peerDialog, bytes: frame } as const;
    this.#mailroom.post(place.registrar, post);
  }

  /** The other client has sent a frame. */
  #receive(end: RelayEnd, frame: Uint8Array): void {
    if (frame[4] === KIND.reset) {
      this.#drop(end, frame);
      return;
    }
    const grant = frame[4] === KIND.word ? grantIn(wordOf(frame)) : undefined;
    if (grant === undefined) end.desk.push(end, frame);
    else end.desk.refill(end, grant);
    this.#onReady(end.desk.connection);
  }

  /** Ends a channel on both sides. */
  #reset(end: RelayEnd, code: RefusalCode): void {
    this.#mailroom.refused(code);
    this.#drop(end, encodeRelayed(end.dialog, KIND.reset, code));
    this.#tell(end.place.registrar, end.place.connection, end.peerDialog, "lost");
  }

  /** Ends a channel on this side, with a last frame. */
  #drop(end: RelayEnd, frame: Uint8Array): void {
    this.#forget(end);
    this.#send(end.desk, frame);
  }

  #send(desk: RelayDesk, frame: Uint8Array): void {
    desk.pushLast(frame);
    this.#onReady(desk.connection);
  }

  #tell(registrar: string, to: number, dialog: number, code: RefusalCode): void {
    const bytes = encodeRelayed(dialog, KIND.reset, code);
    this.#mailroom.post(registrar, { type: "relayed", to, dialog, bytes });
  }

  #forget(end: RelayEnd): void {
    if (end.desk.ends.get(end.dialog) !== end) return;
    end.desk.forget(end);
    this.#unpaired.delete(end);
    this.#held.delete(end);
    this.#size--;
    if (!end.account) return;
    end.account.relays--;
    end.desk.asked--;
  }

  /** A desk without work is cleared. */
  #settle(connection: number): void {
    const desk = this.#desks.get(connection);
    if (desk && desk.ends.size === 0 && desk.last.length === 0) this.#desks.delete(connection);
  }
}

/** Whether a client may say that now. */
function takesWord(end: RelayEnd, word: string): boolean {
  if (word === "end") return end.end();
  const grant = grantIn(word);
  return grant !== undefined && end.grant(grant);
}

/** It need not wait for the bytes before it: what was read makes room for the other direction. */
function isUrgent(frame: Uint8Array): boolean {
  return frame[4] === KIND.reset || (frame[4] === KIND.word && grantIn(wordOf(frame)) !== undefined);
}
