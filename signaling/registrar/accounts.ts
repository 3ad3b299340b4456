import { sourceOf } from "../../src/base/source-limit.ts";
import { TokenBucket } from "../../src/base/token-bucket.ts";
import type { Instant } from "../../src/contract/clock.ts";
import type { RegistrarLimits } from "./limits.ts";

/** How long an account outlives its last connection, in ms: until its buckets are full again. */
const LINGER = 1_000;

/** What one address has used up. */
export interface Account {
  readonly key: string;
  connections: number;
  /** Relayed channels that it has asked for. */
  relays: number;
  readonly connects: TokenBucket;
  readonly registers: TokenBucket;
  readonly opens: TokenBucket;
}

/** The accounts of the addresses that are connected, or were a moment ago. */
export class Accounts {
  readonly #limits: RegistrarLimits;
  readonly #accounts = new Map<string, Account>();
  /** Those without connections, and since when; oldest first. */
  readonly #idle = new Map<Account, Instant>();

  constructor(limits: RegistrarLimits) {
    this.#limits = limits;
  }

  /** One more connection of an address, or the limit that forbids it. */
  enter(address: string, now: Instant): Account | string {
    this.#forget(now);
    const { connectionsPerAddress, connectRatePerAddress } = this.#limits;
    const account = this.#accountOf(address, now);
    if (!account.connects.take(now))
      return `at most ${connectRatePerAddress} connections a second per address`;
    if (account.connections >= connectionsPerAddress)
      return `at most ${connectionsPerAddress} connections per address`;
    account.connections++;
    this.#idle.delete(account);
    return account;
  }

  /** One connection less. */
  leave(account: Account, now: Instant): void {
    account.connections--;
    if (account.connections === 0) this.#idle.set(account, now);
  }

  #accountOf(address: string, now: Instant): Account {
    const key = sourceOf(address);
    const known = this.#accounts.get(key);
    if (known) return known;
    const { connectRatePerAddress, registerRatePerAddress, openRatePerAddress } = this.#limits;
    const account: Account = {
      key,
      connections: 0,
      relays: 0,
      connects: new TokenBucket(connectRatePerAddress),
      registers: new TokenBucket(registerRatePerAddress),
      opens: new TokenBucket(openRatePerAddress),
    };
    this.#accounts.set(key, account);
    this.#idle.set(account, now);
    return account;
  }

  #forget(now: Instant): void {
    for (const [account, since] of this.#idle) {
      if (since + LINGER > now) return;
      this.#idle.delete(account);
      this.#accounts.delete(account.key);
    }
  }
}
