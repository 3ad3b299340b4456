import type { SocketAddress } from "../contract/datagram-socket.ts";
import { addressKey } from "./candidate.ts";

/** Datagrams to one address that has not proved anything (DESIGN.md §8). */
export const MAX_UNPROVED = 8;
/** The same on the attested IP, where nobody else is met (chosen: both sides' checks and answers from two sockets). */
const MAX_ON_ATTESTED = 24;
/** Addresses on the attested IP that get something, birthday aside (chosen: 24 guesses, twice, and some). */
const MAX_ATTESTED = 64;
/** IPs that get anything at all (chosen: as many as candidates, and as many that were learned). */
const MAX_ADDRESSES = 32 + MAX_ATTESTED;

/**
 * How much one dialog may send to whom: whoever opens it could name a third party. An IP that the dialog's carrier itself has seen the
 * peer at is attested: there each port counts by itself.
 */
export class PunchBudget {
  readonly #attested: string | undefined;
  /** Datagrams by address, or by IP where nothing attests it. */
  readonly #spent = new Map<string, number>();
  readonly #proved = new Set<string>();
  #attestedAddresses = 0;

  constructor(attested: string | undefined) {
    this.#attested = attested;
  }

  /** Whether the IP is the peer's by somebody else's word than its own. */
  isAttested(address: string): boolean {
    return address === this.#attested;
  }

  /** The address has answered: it gets what it needs from now on. */
  prove(remote: SocketAddress): void {
    this.#proved.add(addressKey(remote));
  }

  /** Counts a small datagram; false if it is one too many. */
  take(remote: SocketAddress): boolean {
    if (this.#proved.has(addressKey(remote))) return true;
    const attested = this.isAttested(remote.address);
    const key = attested ? addressKey(remote) : remote.address;
    const spent = this.#spent.get(key) ?? 0;
    if (
      spent >= (attested ? MAX_ON_ATTESTED : MAX_UNPROVED) ||
      (spent === 0 && this.#spent.size >= MAX_ADDRESSES)
    )
      return false;
    if (attested && spent === 0 && ++this.#attestedAddresses > MAX_ATTESTED) return false;
    this.#spent.set(key, spent + 1);
    return true;
  }
}
