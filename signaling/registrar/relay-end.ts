import { TokenBucket } from "../../src/base/token-bucket.ts";
import type { Place } from "../../src/contract/directory.ts";
import { MESSAGE_COST } from "../../src/host/credit.ts";
import type { Account } from "./accounts.ts";
import type { RegistrarLimits } from "./limits.ts";
import { Pace } from "./pace.ts";
import { encodeRelayed, KIND, RELAY_HEAD, RELAY_WINDOW } from "./relay-frame.ts";

/** One end of a relayed channel: what its client may send, and what waits for it. */
export class RelayEnd {
  readonly desk: RelayDesk;
  /** Its number at its client. */
  readonly dialog: number;
  /** Where the other end is, and its number there. */
  readonly place: Place;
  readonly peerDialog: number;
  /** Who has asked for it, if its client has. */
  account: Account | undefined;
  /** The other one does. */
  peerAsked = false;
  /** Frames of its client that came too fast. */
  readonly held: Uint8Array[] = [];
  readonly pace: Pace;
  /** Bytes its client has sent. */
  sent = 0;
  /** Frames that wait for its client. */
  readonly queue: Uint8Array[] = [];
  deficit = 0;
  #credit = RELAY_WINDOW;
  #ungranted = 0;
  /** What the other client has read, and this one is to be told. */
  #refill = 0;
  #ended = false;
  #closed = false;

  constructor(desk: RelayDesk, dialog: number, peer: { place: Place; dialog: number }, rate: number) {
    this.desk = desk;
    this.dialog = dialog;
    this.place = peer.place;
    this.peerDialog = peer.dialog;
    this.pace = new Pace(rate);
  }

  get asked(): boolean {
    return this.account !== undefined;
  }

  get open(): boolean {
    return this.asked && this.peerAsked;
  }

  /** Its client sends so many bytes. False: more than it was granted. */
  spend(bytes: number): boolean {
    this.#credit -= bytes + MESSAGE_COST;
    return this.#credit >= 0;
  }

  /** Its client has no more bytes. False: it has said so. */
  end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    return true;
  }

  /** Its client leaves. False: it has said so. */
  close(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    return true;
  }

  get idle(): boolean {
    return this.queue.length === 0 && this.#refill === 0;
  }

  /** The other client has read. */
  refill(bytes: number): void {
    this.#refill += bytes;
  }

  /** What its client is granted, which is its credit from now on; undefined if that is nothing. */
  takeGrant(): Uint8Array | undefined {
    const bytes = this.#refill;
    if (bytes === 0) return undefined;
    this.#refill = 0;
    this.#credit += bytes;
    return encodeRelayed(this.dialog, KIND.word, `grant ${bytes}`);
  }

  /** Its client is given a frame. */
  deliver(frame: Uint8Array): void {
    if (frame[4] === KIND.data) this.#ungranted += frame.length - RELAY_HEAD + MESSAGE_COST;
  }

  /** Its client says what it has read. False: more than it was given. */
  grant(bytes: number): boolean {
    this.#ungranted -= bytes;
    return this.#ungranted >= 0;
  }
}

/** What is relayed to and from one client. */
export class RelayDesk {
  readonly connection: number;
  /** By the number of the dialog. */
  readonly ends = new Map<number, RelayEnd>();
  readonly pace: Pace;
  readonly frames: TokenBucket;
  /** Ends that the client has asked for. */
  asked = 0;
  /** Frames about ends that are gone. */
  readonly last: Uint8Array[] = [];
  /** Those that have frames for the client, in turn. */
  readonly #turns: RelayEnd[] = [];

  constructor(connection: number, limits: RegistrarLimits) {
    this.connection = connection;
    this.pace = new Pace(limits.relayRatePerConnection);
    this.frames = new TokenBucket(limits.relayFrameRate);
  }

  push(end: RelayEnd, frame: Uint8Array): void {
    if (end.idle) this.#turns.push(end);
    end.queue.push(frame);
  }

  /** The other client of that end has read. Grants that are not read become one: they must not pile up. */
  refill(end: RelayEnd, bytes: number): void {
    if (end.idle) this.#turns.push(end);
    end.refill(bytes);
  }

  /** Something about an end that is gone. Whoever does not read that is told no more of it at some point. */
  pushLast(frame: Uint8Array): void {
    if (this.last.length < MAX_LAST) this.last.push(frame);
  }

  /** It is gone; nothing follows but what is in `last`. */
  forget(end: RelayEnd): void {
    this.ends.delete(end.dialog);
    const at = this.#turns.indexOf(end);
    if (at >= 0) this.#turns.splice(at, 1);
  }

  /** The next frame for the client: each channel has its turn, by bytes (deficit round robin, Shreedhar and Varghese 1995). */
  take(): Uint8Array | undefined {
    if (this.last.length > 0) return this.last.shift();
    for (let end = this.#turns[0]; end; end = this.#turns[0]) {
      const grant = end.takeGrant();
      if (grant) {
        if (end.idle) this.#turns.shift();
        return grant;
      }
      const frame = end.queue[0]!;
      if (frame.length > end.deficit) {
        end.deficit += QUANTUM;
        this.#turns.push(this.#turns.shift()!);
        continue;
      }
      end.deficit -= frame.length;
      end.queue.shift();
      end.deliver(frame);
      if (end.queue.length === 0) {
        end.deficit = 0;
        this.#turns.shift();
      }
      return frame;
    }
    return undefined;
  }
}

/** Frames about ends that are gone, for a client that does not read (chosen: an honest one has fewer channels). */
const MAX_LAST = 1_024;

/** Bytes of a turn (chosen: half of the longest frame, so that none waits for more than two rounds). */
const QUANTUM = 8_192;
