import type { Instant, Millis } from "../contract/clock.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { Random } from "../contract/runtime.ts";
import type { NatBehaviour } from "./behaviour.ts";
import type { NatCandidate } from "./candidate.ts";
import type { Target } from "./target.ts";

/** One way to get through two NATs. A file each in `tricks/`. */
export interface PunchTrick {
  readonly name: string;
  /** Ms until the next trick joins in; those that have begun go on. */
  readonly patience: Millis;
  /**
   * How much it is worth to begin with, 0 to 1, for such a pair; 0: it is of no use there. What is unknown counts as what makes it
   * work, unless it is costly.
   */
  rate(local: NatBehaviour, remote: NatBehaviour): number;
  /** Begins; `onNews` follows at once. */
  start(context: TrickContext): TrickRun;
}

/** A trick at work. */
export interface TrickRun {
  /** The peer has told or done something, or we know more of ourselves. */
  onNews(now: Instant): void;
  handleTimeout?(now: Instant): void;
  /** When to call `handleTimeout`; undefined: only news help. */
  pollTimeout?(): Instant | undefined;
}

/** A socket of ours that was opened for a trick. */
export interface ExtraSocket {
  readonly via: number;
  readonly port: number;
}

/** What a trick sees of its punch, and what it can do. All it sends is bounded by the punch. */
export interface TrickContext {
  readonly random: Random;
  readonly local: NatBehaviour;
  readonly remote: NatBehaviour;
  /** Our candidates. */
  readonly candidates: readonly NatCandidate[];
  /** The peer's, in the order it told them. */
  readonly targets: readonly Target[];
  /** The peer has sent to our public addresses: its NATs let us in, as far as they can tell who we are. */
  readonly peerOpened: boolean;
  /** The peer has done its part of this trick. */
  readonly peerReady: boolean;
  /** Those this trick has asked for, once they are open. */
  readonly extraSockets: readonly ExtraSocket[];
  /** Whether the IP is the peer's by the word of the dialog's carrier. */
  isAttested(address: string): boolean;
  /** Sends something that opens our own NATs and dies before it meets the peer's. */
  open(remote: SocketAddress, via: number, now: Instant): void;
  /** Checks the target, again and again; from another socket than the usual one if `via` says so. */
  pursue(target: Target, now: Instant, via?: number): void;
  /** Tells the peer of another candidate. */
  offer(candidate: NatCandidate): void;
  /** Tells the peer that our part is done. */
  sayReady(): void;
  /** Asks for so many sockets, once; they come with news. */
  wantSockets(count: number): void;
  /**
   * Begins to probe an IP that the peer has named and the dialog's carrier attests; false if it does not, or if somebody probes it
   * already.
   */
  beginRun(address: string): boolean;
  /** One probe of the run, with a low TTL if it is to open our NATs only. False if there is none left, or none yet. */
  probe(remote: SocketAddress, via: number, now: Instant, low?: boolean): boolean;
  endRun(): void;
  /** Notes, for whoever asks why it failed, what stood in the way. */
  note(why: string): void;
}
