import { exceeds, MAX_SIGNAL } from "../../src/base/signal.ts";
import type { Instant } from "../../src/contract/clock.ts";
import type { Place } from "../../src/contract/directory.ts";
import type { RegistrarLimits } from "./limits.ts";
import type { DirectoryTask, Mailroom, Post } from "./mailroom.ts";
import type { DialogPeer, Member } from "./member.ts";
import type { CloseMessage, OpenMessage, Refusal, RefusalCode, SignalMessage } from "./protocol.ts";

/** The posts that are about dialogs. */
export type SwitchedPost = Exclude<Post, { readonly type: "evict" | "relay" | "relayed" }>;

/** Joins two members in a dialog and forwards their signals, unread. */
export class Switchboard {
  readonly #mailroom: Mailroom;
  readonly #limits: RegistrarLimits;

  constructor(mailroom: Mailroom, limits: RegistrarLimits) {
    this.#mailroom = mailroom;
    this.#limits = limits;
  }

  open(member: Member, message: OpenMessage, now: Instant): void {
    const { dialog, uid, transportType } = message;
    // An honest client never does: its own dialog of that number must not suffer.
    if (dialog < 1 || member.dialogs.has(dialog)) return;
    const refusal = this.#overLimit(member, now);
    if (refusal) {
      this.#tellClose(member, dialog, refusal);
      return;
    }
    member.dialogs.set(dialog, undefined);
    const from = this.#mailroom.placeOf(member);
    const { account, address } = member;
    const visit = { from, dialog, visitor: account.key, address };
    this.#mailroom.ask({ type: "locate", uid, transportType, ...visit });
  }

  /** The directory has answered a `locate`. */
  located(task: DirectoryTask & { type: "locate" }, place: Place | undefined | Error): void {
    if (place && !(place instanceof Error)) {
      this.#mailroom.post(place.registrar, { ...task, type: "open", to: place.connection });
      return;
    }
    const member = this.#mailroom.members.get(task.from.connection);
    if (member) this.#end(member, task.dialog, { code: place ? "unavailable" : "offline" });
  }

  signal(member: Member, { dialog, body }: SignalMessage, now: Instant): void {
    const peer = member.dialogs.get(dialog);
    // Its end may be under way to the sender.
    if (!peer) return;
    const refusal = this.#refusesSignal(member, body, now);
    if (refusal) {
      this.#end(member, dialog, refusal);
      this.#postClose(peer, refusal.code);
      return;
    }
    const { counters } = this.#mailroom;
    counters.signals++;
    counters.signalCharacters += body.length;
    const { registrar, connection } = peer.place;
    this.#mailroom.post(registrar, { type: "signal", to: connection, dialog: peer.dialog, body });
  }

  close(member: Member, { dialog, code }: CloseMessage): void {
    const peer = member.dialogs.get(dialog);
    member.forget(dialog);
    if (peer) this.#postClose(peer, code === "unread" ? code : undefined);
  }

  /** The member does not read what came of a dialog, perhaps not even its end. */
  unread(member: Member, dialog: number): void {
    const peer = member.dialogs.get(dialog);
    member.forget(dialog);
    if (peer) this.#postClose(peer, "unread");
    this.#tellClose(member, dialog, { code: "unread" });
  }

  /** The member is gone. */
  leave(member: Member): void {
    for (const peer of member.dialogs.values()) if (peer) this.#postClose(peer, "lost");
    member.dialogs.clear();
  }

  /** A post about a dialog has come for a member that may be gone. */
  receive(post: SwitchedPost, member: Member | undefined): void {
    if (post.type === "open") this.#incoming(post, member);
    else if (post.type === "opened") this.#opened(post, member);
    else if (!member) return;
    else if (post.type === "close") this.#end(member, post.dialog, post.code && { code: post.code });
    else if (member.dialogs.has(post.dialog)) {
      this.#mailroom.send(member, { type: "signal", dialog: post.dialog, body: post.body });
    }
  }

  /** A post could not be delivered: that registrar is gone, and its connections with it. */
  undelivered({ registrar, post }: DirectoryTask & { type: "deliver" }): void {
    if (post.type === "open") this.#refuseOpen(post, "offline");
    for (const member of this.#mailroom.members.values()) {
      for (const [dialog, peer] of member.dialogs) {
        if (peer?.place.registrar === registrar) this.#end(member, dialog, { code: "lost" });
      }
    }
  }

  #incoming(post: Post & { type: "open" }, member: Member | undefined): void {
    const { uid, transportType, from, visitor, address } = post;
    if (!member || member.uids.get(uid) !== transportType) {
      this.#refuseOpen(post, "offline");
      return;
    }
    const { dialogs, dialogsPerVisitor } = this.#limits;
    if (member.dialogs.size >= dialogs || member.visitsOf(visitor) >= dialogsPerVisitor) {
      this.#refuseOpen(post, "too-many");
      return;
    }
    const dialog = member.receive({ place: from, dialog: post.dialog, visitor });
    this.#mailroom.counters.opened++;
    this.#mailroom.send(member, { type: "incoming", dialog, uid, address });
    const here = { from: this.#mailroom.placeOf(member), peerDialog: dialog, address: member.address };
    this.#mailroom.post(from.registrar, {
      type: "opened",
      to: from.connection,
      dialog: post.dialog,
      ...here,
    });
  }

  #opened(post: Post & { type: "opened" }, member: Member | undefined): void {
    const peer: DialogPeer = { place: post.from, dialog: post.peerDialog };
    // Gone meanwhile; or its number was used anew, and has a peer.
    if (!member?.dialogs.has(post.dialog) || member.dialogs.get(post.dialog)) {
      this.#postClose(peer);
      return;
    }
    member.dialogs.set(post.dialog, peer);
    this.#mailroom.send(member, { type: "opened", dialog: post.dialog, address: post.address });
  }

  #refuseOpen({ from, dialog }: Post & { type: "open" }, code: RefusalCode): void {
    this.#postClose({ place: from, dialog }, code);
  }

  #postClose({ place, dialog }: DialogPeer, code?: RefusalCode): void {
    this.#mailroom.post(place.registrar, { type: "close", to: place.connection, dialog, code });
  }

  #end(member: Member, dialog: number, refusal?: Refusal): void {
    if (member.forget(dialog)) this.#tellClose(member, dialog, refusal);
  }

  #tellClose(member: Member, dialog: number, refusal?: Refusal): void {
    if (refusal) this.#mailroom.refused(refusal.code);
    this.#mailroom.send(member, { type: "close", dialog, ...refusal });
  }

  #overLimit(member: Member, now: Instant): Refusal | undefined {
    const { dialogs, openRate, openRatePerAddress } = this.#limits;
    if (member.dialogs.size >= dialogs) {
      return { code: "too-many", text: `at most ${dialogs} dialogs per connection` };
    }
    if (!member.opens.take(now)) {
      return { code: "too-fast", text: `at most ${openRate} dialogs opened a second per connection` };
    }
    if (!member.account.opens.take(now)) {
      return { code: "too-fast", text: `at most ${openRatePerAddress} dialogs opened a second per address` };
    }
    return undefined;
  }

  #refusesSignal(member: Member, body: string, now: Instant): Refusal | undefined {
    if (exceeds(body, MAX_SIGNAL))
      return { code: "too-large", text: `a body has at most ${MAX_SIGNAL} bytes` };
    if (member.signals.take(now)) return undefined;
    return { code: "too-fast", text: `at most ${this.#limits.signalRate} signals a second per connection` };
  }
}
