import type { Instant, Millis } from "../contract/clock.ts";
import type { Halves } from "./connection-parts.ts";
import type { Receiver } from "./receiver.ts";
import type { Sender } from "./sender.ts";
import type { Validation } from "./validation.ts";

/** No progress for so many time-outs' length is a dead path although other packets come (chosen). */
const STUCK_FACTOR = 4;
/** How long what was written before a close is still sent (DESIGN.md §4). */
const LINGER: Millis = 5000;
/** How long the acknowledgement of our FIN is awaited when nothing else is missing (chosen). */
const LAST_ACK: Millis = 10_000;

/** A peer whose system says that nobody is there gets this long to show that it is (chosen: anybody may say so). */
const REFUSED: Millis = 2000;

/** What is to be done about a connection: nothing, or why it is over. */
export type Verdict = "alive" | "lingered" | "refused" | "silent" | "unproved";

/** How long a connection waits, and for what. */
export interface Patience {
  readonly connectTimeout: Millis;
  readonly timeout: Millis;
  readonly keepAlive: Millis | false;
}

/** Asks a silent peer whether it lives, and says when to give it up. */
export class Liveness {
  /** When anything valid last came. */
  heardAt: Instant = 0;
  keepAlive: Millis | false;
  readonly #patience: Patience;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #validation: Validation;
  #connectBy: Instant = Number.POSITIVE_INFINITY;
  #lingerUntil: Instant = Number.POSITIVE_INFINITY;
  #askedAt: Instant = Number.NEGATIVE_INFINITY;
  #unanswered: Instant | undefined;
  #refusedUntil: Instant = Number.POSITIVE_INFINITY;

  constructor(patience: Patience, { sender, receiver, validation }: Halves) {
    this.#patience = patience;
    this.keepAlive = patience.keepAlive;
    this.#sender = sender;
    this.#receiver = receiver;
    this.#validation = validation;
  }

  /** The first SYN leaves. */
  dialled(now: Instant): void {
    this.#connectBy = now + this.#patience.connectTimeout;
  }

  heard(now: Instant): void {
    this.heardAt = now;
    this.#connectBy = Number.POSITIVE_INFINITY;
    this.#unanswered = undefined;
    this.#refusedUntil = Number.POSITIVE_INFINITY;
  }

  /** The peer's system says that nobody is there. */
  refused(now: Instant): void {
    this.#refusedUntil = Math.min(this.#refusedUntil, now + REFUSED);
  }

  /** The user has closed: what is left to send gets 5 s from the first time this is called. */
  linger(now: Instant): void {
    if (this.#lingerUntil === Number.POSITIVE_INFINITY) this.#lingerUntil = now + LINGER;
    this.keepAlive = false;
  }

  /** Only the acknowledgement of our FIN is missing. */
  get lastAck(): boolean {
    return this.#sender.finSent && this.#sender.unacknowledged === 0 && this.#receiver.ended;
  }

  /** Neither side will say anything more: at most the user has something to read, and the peer may be gone. */
  get settled(): boolean {
    return this.#sender.finished && this.#receiver.ended;
  }

  /** When `judge` or `mayAsk` says something else than before. */
  deadline(): Instant {
    return Math.min(
      this.#connectBy,
      this.#lingerUntil,
      this.#refusedUntil,
      this.#validation.deadline,
      this.#silentAt(),
      this.#askAt(),
    );
  }

  judge(now: Instant): Verdict {
    if (this.#lingerUntil <= now) return "lingered";
    if (this.#refusedUntil <= now) return "refused";
    if (this.#connectBy <= now || this.#silentAt() <= now) return "silent";
    return this.#validation.deadline <= now && !this.#validation.unconfirmed ? "unproved" : "alive";
  }

  /** Whether the peer is to be asked; if so it counts as asked. */
  ask(now: Instant): boolean {
    if (this.#askAt() > now) return false;
    this.#askedAt = now;
    this.#unanswered ??= now;
    return true;
  }

  #askAt(): Instant {
    if (this.keepAlive === false || this.heardAt === 0 || this.settled) return Number.POSITIVE_INFINITY;
    const again = this.#askedAt + Math.min(this.keepAlive, this.#patience.timeout / 5);
    return Math.max(this.heardAt + this.keepAlive, again);
  }

  /** When a peer that owes us an answer has been silent for too long, or answers but makes no progress. */
  #silentAt(): Instant {
    const { timeout } = this.#patience;
    const asked = this.#unanswered === undefined ? Number.POSITIVE_INFINITY : this.#unanswered + timeout;
    const { flight, peerWindow, progressAt } = this.#sender;
    if (flight.span === 0) return asked;
    // A closed window may stay closed as long as the peer answers.
    const owedSince = peerWindow === 0 ? this.heardAt : progressAt;
    const silent = Math.max(owedSince, this.heardAt) + (this.lastAck ? Math.min(LAST_ACK, timeout) : timeout);
    return Math.min(asked, silent, owedSince + STUCK_FACTOR * timeout);
  }
}
