import { TokenBucket } from "../../src/base/token-bucket.ts";
import type { Instant } from "../../src/contract/clock.ts";
import type { KeyPair } from "../../src/contract/crypto.ts";
import type { Place } from "../../src/contract/directory.ts";
import type { Account } from "./accounts.ts";
import type { RegistrarLimits } from "./limits.ts";

/** The other end of a dialog, and its number there. */
export interface DialogPeer {
  readonly place: Place;
  readonly dialog: number;
  /** The address that opened it (`Account.key`), where it came in. */
  readonly visitor?: string;
}

/** A question that can be answered once, for a time. */
export interface Challenge {
  readonly ephemeral: KeyPair;
  readonly expires: Instant;
}

/** One connection and what it holds. */
export class Member {
  readonly id: number;
  readonly address: string;
  readonly account: Account;
  /** The key that the connection itself has proved, where it can. */
  readonly publicKey: Uint8Array | undefined;
  /** It has said hello, with the token if one is asked for. */
  greeted = false;
  /** The transport of each uid. */
  readonly uids = new Map<string, string>();
  /** By request. */
  readonly challenges = new Map<number, Challenge>();
  /** By number; undefined while the peer is looked for. */
  readonly dialogs = new Map<number, DialogPeer | undefined>();
  readonly messages: TokenBucket;
  readonly registers: TokenBucket;
  readonly opens: TokenBucket;
  readonly signals: TokenBucket;
  /** Dialogs that came in, by visitor. */
  readonly #visits = new Map<string, number>();
  #lastIncoming = 0;

  constructor(
    id: number,
    address: string,
    account: Account,
    limits: RegistrarLimits,
    publicKey?: Uint8Array,
  ) {
    this.id = id;
    this.publicKey = publicKey;
    this.address = address;
    this.account = account;
    this.messages = new TokenBucket(limits.messageRate);
    this.registers = new TokenBucket(limits.registerRate);
    this.opens = new TokenBucket(limits.openRate);
    this.signals = new TokenBucket(limits.signalRate);
  }

  /** How many dialogs of a visitor there are. */
  visitsOf(visitor: string): number {
    return this.#visits.get(visitor) ?? 0;
  }

  /** Gives a dialog that has come in its number: -1, -2 … */
  receive(peer: DialogPeer & { readonly visitor: string }): number {
    this.#lastIncoming--;
    this.dialogs.set(this.#lastIncoming, peer);
    this.#visits.set(peer.visitor, this.visitsOf(peer.visitor) + 1);
    return this.#lastIncoming;
  }

  /** False if there is no such dialog. */
  forget(dialog: number): boolean {
    const visitor = this.dialogs.get(dialog)?.visitor;
    if (visitor !== undefined) {
      const left = this.visitsOf(visitor) - 1;
      if (left > 0) this.#visits.set(visitor, left);
      else this.#visits.delete(visitor);
    }
    return this.dialogs.delete(dialog);
  }
}
