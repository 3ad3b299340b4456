import { toHex } from "../base/bytes.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { ReceivedMessage } from "../stun/message.ts";
import { addressKey } from "./candidate.ts";

/** Checks of the peer whose ids are remembered (chosen: more than the budget lets an honest one send). */
const MAX_SEEN = 256;

/** Which checks have left and come: what answers belong to, and what comes a second time. */
export class CheckLog {
  readonly #asked = new Map<string, string>();
  readonly #seen = new Map<string, string>();

  /** A check leaves from the socket `via`. */
  asked(id: Uint8Array, remote: SocketAddress, via: number): void {
    this.#asked.set(toHex(id), whereKey(remote, via));
  }

  /** Whether a check with that id, in hexadecimal, has left. */
  awaits(id: string): boolean {
    return this.#asked.has(id);
  }

  /** What is wrong with where an answer comes from, if anything (RFC 8445 §7.2.5.2.1). */
  answerFault(
    answer: ReceivedMessage,
    remote: SocketAddress,
    via: number,
  ): "unasked" | "elsewhere" | undefined {
    const where = this.#asked.get(toHex(answer.transactionId));
    if (where === undefined) return "unasked";
    return where === whereKey(remote, via) ? undefined : "elsewhere";
  }

  /** What is wrong with a check that comes: again from somewhere else, it was caught on its way. */
  requestFault(
    { transactionId }: ReceivedMessage,
    remote: SocketAddress,
  ): "replayed" | "too-many" | undefined {
    const id = toHex(transactionId);
    const source = addressKey(remote);
    const before = this.#seen.get(id);
    if (before !== undefined) return before === source ? undefined : "replayed";
    if (this.#seen.size >= MAX_SEEN) return "too-many";
    this.#seen.set(id, source);
    return undefined;
  }
}

function whereKey(remote: SocketAddress, via: number): string {
  return `${via} ${addressKey(remote)}`;
}
