import { fromBase64Url, toBase64Url } from "../../src/base/bytes.ts";
import { decodeSignal } from "../../src/base/signal.ts";
import type { Place } from "../../src/contract/directory.ts";
import type { Member } from "./member.ts";
import { encodeMessage, type RefusalCode, type RegistrarMessage } from "./protocol.ts";

/** What one registrar tells another, or itself, about one of the other's connections. */
export type Post = { readonly to: number } & (
  | {
      readonly type: "open";
      readonly uid: string;
      readonly transportType: string;
      readonly from: Place;
      readonly dialog: number;
      readonly visitor: string;
      /** Where its registrar sees who opens. */
      readonly address: string;
    }
  | {
      readonly type: "opened";
      readonly dialog: number;
      readonly from: Place;
      readonly peerDialog: number;
      readonly address: string;
    }
  | { readonly type: "signal"; readonly dialog: number; readonly body: string }
  | { readonly type: "close"; readonly dialog: number; readonly code?: RefusalCode | undefined }
  | { readonly type: "evict"; readonly uid: string }
  /** The other end of a dialog wants its channel. */
  | {
      readonly type: "relay";
      readonly dialog: number;
      readonly from: Place;
      readonly peerDialog: number;
    }
  /** A frame of the other end of a channel. */
  | { readonly type: "relayed"; readonly dialog: number; readonly bytes: Uint8Array }
);

/** A post as text for another registrar. */
export function encodePost(post: Post): string {
  return JSON.stringify(post.type === "relayed" ? { ...post, bytes: toBase64Url(post.bytes) } : post);
}

/** A post of another registrar; undefined for what is none. */
export function decodePost(text: string): Post | undefined {
  const post = decodeSignal(text) as (Post & { readonly bytes: unknown }) | undefined;
  if (post?.type !== "relayed") return post;
  const bytes = fromBase64Url(`${post.bytes}`);
  return bytes && { ...post, bytes };
}

/** What a registrar wants of the directory. Answer a `claim` and a `locate`, and a `deliver` that fails. */
export type DirectoryTask =
  | { readonly type: "claim"; readonly uid: string; readonly place: Place; readonly request: number }
  | { readonly type: "release"; readonly uid: string; readonly place: Place }
  | {
      readonly type: "locate";
      readonly uid: string;
      readonly transportType: string;
      readonly from: Place;
      readonly dialog: number;
      readonly visitor: string;
      readonly address: string;
    }
  | { readonly type: "deliver"; readonly registrar: string; readonly post: Post };

/** A frame for a connection, or the end of it with a status of RFC 6455 §7.4. */
export type Outgoing =
  /** `dialog`: the one it is about, if any. */
  | { readonly connection: number; readonly frame: string; readonly dialog?: number }
  | { readonly connection: number; readonly cut: { readonly status: number; readonly reason: string } };

/** What happened since the start, for `/metrics`. */
export interface RegistrarCounters {
  connects: number;
  /** Connections ended by the registrar. */
  cuts: number;
  registered: number;
  opened: number;
  signals: number;
  signalCharacters: number;
  malformed: number;
  readonly refusals: Partial<Record<RefusalCode, number>>;
}

/** Who is connected, and everything that leaves the registrar. */
export class Mailroom {
  /** The registrar's name in the directory. */
  readonly name: string;
  readonly members = new Map<number, Member>();
  readonly counters: RegistrarCounters = {
    connects: 0,
    cuts: 0,
    registered: 0,
    opened: 0,
    signals: 0,
    signalCharacters: 0,
    malformed: 0,
    refusals: {},
  };
  readonly #receive: (post: Post) => void;
  #outgoing: Outgoing[] = [];
  #tasks: DirectoryTask[] = [];

  /** `receive` takes the posts for this registrar. */
  constructor(name: string, receive: (post: Post) => void) {
    this.name = name;
    this.#receive = receive;
  }

  placeOf(member: Member): Place {
    return { registrar: this.name, connection: member.id };
  }

  send(member: Member, message: RegistrarMessage): void {
    const about = "dialog" in message ? { dialog: message.dialog } : {};
    this.#outgoing.push({ connection: member.id, frame: encodeMessage(message), ...about });
  }

  cut(connection: number, status: number, reason: string): void {
    this.counters.cuts++;
    this.#outgoing.push({ connection, cut: { status, reason } });
  }

  ask(task: DirectoryTask): void {
    this.#tasks.push(task);
  }

  post(registrar: string, post: Post): void {
    if (registrar === this.name) this.#receive(post);
    else this.ask({ type: "deliver", registrar, post });
  }

  refused(code: RefusalCode): void {
    const { refusals } = this.counters;
    refusals[code] = (refusals[code] ?? 0) + 1;
  }

  /** Takes what has to be sent, in order. */
  takeOutgoing(): Outgoing[] {
    const taken = this.#outgoing;
    this.#outgoing = [];
    return taken;
  }

  /** Takes what the directory has to do, in order. */
  takeTasks(): DirectoryTask[] {
    const taken = this.#tasks;
    this.#tasks = [];
    return taken;
  }
}
