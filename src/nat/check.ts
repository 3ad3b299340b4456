import { toBase64Url } from "../base/bytes.ts";
import type { Crypto } from "../contract/crypto.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { Random } from "../contract/runtime.ts";
import { XOR_MAPPED_ADDRESS } from "../stun/addresses.ts";
import { makeMessage } from "../stun/attribute.ts";
import { BINDING } from "../stun/binding.ts";
import { USE_CANDIDATE } from "../stun/checks.ts";
import { checkIntegrity, type IntegrityKey, sealMessage } from "../stun/integrity.ts";
import { type ReceivedMessage, TRANSACTION_ID_SIZE } from "../stun/message.ts";
import { shortTermKey } from "../stun/secrets.ts";
import { USERNAME } from "../stun/texts.ts";

/** What checks to one side of a punch are signed with (RFC 8445 §5.3). Only a sealed dialog may carry it. */
export interface CheckIdentity {
  readonly user: string;
  readonly password: string;
}

/** A fresh identity: 48 bits of name, 144 of password, 8 and 24 letters. */
export function makeIdentity(random: Random): CheckIdentity {
  const word = (bytes: number): string => toBase64Url(random.fill(new Uint8Array(bytes)));
  return { user: word(6), password: word(18) };
}

/** An identity that a stranger wrote; undefined if it is none. */
export function readIdentity(user: unknown, password: unknown): CheckIdentity | undefined {
  return isWord(user, 4, 32) && isWord(password, 16, 64) ? { user, password } : undefined;
}

/** Whether a value is a text of so many letters, digits, `-` and `_`: what base64url has. */
export function isWord(value: unknown, least: number, most: number): value is string {
  return typeof value === "string" && value.length >= least && value.length <= most && /^[\w-]*$/.test(value);
}

/** Whom a check is for: the name of the side that is asked; undefined if it has none. */
export function askedUser(request: ReceivedMessage): string | undefined {
  return USERNAME.in(request)?.split(":", 1)[0];
}

/** A fresh transaction id. */
export function makeTransactionId(random: Random): Uint8Array {
  return random.fill(new Uint8Array(TRANSACTION_ID_SIZE));
}

/**
 * Makes and judges the checks between two sides: STUN Binding requests with short-term credentials, 88 bytes each
 * (RFC 8445 §7.1).
 */
export class CheckCodec {
  readonly local: CheckIdentity;
  readonly #crypto: Crypto;
  readonly #localKey: IntegrityKey;
  #remote: (CheckIdentity & { readonly key: IntegrityKey }) | undefined;

  constructor(crypto: Crypto, local: CheckIdentity) {
    this.local = local;
    this.#crypto = crypto;
    this.#localKey = this.#keyOf(local);
  }

  /** Whether the other side's identity is known. */
  get complete(): boolean {
    return this.#remote !== undefined;
  }

  /** The first one counts. */
  meet(remote: CheckIdentity): void {
    this.#remote ??= { ...remote, key: this.#keyOf(remote) };
  }

  /** The other side's, once it is known. */
  get remotePassword(): string | undefined {
    return this.#remote?.password;
  }

  #keyOf({ password }: CheckIdentity): IntegrityKey {
    return { crypto: this.#crypto, algorithm: "sha256", key: shortTermKey(password) };
  }

  /** A check; undefined as long as the other side is unknown. */
  request(id: Uint8Array): Uint8Array | undefined {
    if (!this.#remote) return undefined;
    const username = USERNAME.of(`${this.#remote.user}:${this.local.user}`);
    return sealMessage(makeMessage("request", BINDING, id, [username]), this.#remote.key, true);
  }

  /** Says that the connection over which the check with that id went is the one (RFC 8445 §8.1.1); undefined as for `request`. */
  nomination(id: Uint8Array): Uint8Array | undefined {
    if (!this.#remote) return undefined;
    const username = USERNAME.of(`${this.#remote.user}:${this.local.user}`);
    const message = makeMessage("indication", BINDING, id, [username, USE_CANDIDATE.of(true)]);
    return sealMessage(message, this.#remote.key, true);
  }

  /** The answer to a check of the other side: says where it came from. No longer than the check itself. */
  response(request: ReceivedMessage, from: SocketAddress): Uint8Array {
    const mapped = XOR_MAPPED_ADDRESS.of(from);
    const message = makeMessage("success", BINDING, request.transactionId, [mapped]);
    return sealMessage(message, this.#localKey, true);
  }

  /** What is wrong with a check or a nomination that came, if anything. */
  requestFault(request: ReceivedMessage): "stranger" | "forged" | undefined {
    const [asked, asking] = USERNAME.in(request)?.split(":") ?? [];
    if (asked !== this.local.user || !asking) return "stranger";
    if (this.#remote && asking !== this.#remote.user) return "stranger";
    return checkIntegrity(request.bytes, this.#localKey) ? undefined : "forged";
  }

  /** Whether a response is the other side's. */
  isAuthentic(response: ReceivedMessage): boolean {
    return this.#remote !== undefined && checkIntegrity(response.bytes, this.#remote.key) === true;
  }
}
