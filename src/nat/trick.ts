import type { Instant, Millis } from "../contract/clock.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { Random } from "../contract/runtime.ts";
import type { NatBehaviour } from "./behaviour.ts";
import type { Target } from "./target.ts";

/** One way to get through two NATs. A file each in `tricks/`. */
export interface PunchTrick {
  readonly name: string;
  /** Ms until the next trick joins in; those that have begun go on. */
  readonly patience: Millis;
  /** How likely it is to be needed and to work for such a pair, 0 to 1; 0: never. What is unknown counts as possible. */
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

/** What a trick sees of its punch, and what it can do. All it sends is bounded by the punch. */
export interface TrickContext {
  readonly random: Random;
  readonly local: NatBehaviour;
  readonly remote: NatBehaviour;
  /** The peer's candidates, in the order it told them. */
  readonly targets: readonly Target[];
  /** The peer says that it has sent to our public addresses: its NATs let us in, as far as they can tell who we are. */
  readonly peerOpened: boolean;
  /** The peer has done its part of the trick. */
  readonly peerReady: boolean;
  /** Own sockets beyond the usual ones, once there are any. */
  readonly extraSockets: readonly number[];
  /** Whether the IP is the peer's by the word of the dialog's carrier. */
  isAttested(address: string): boolean;
  /** Sends something that opens our own NATs and dies before it meets the peer's. */
  open(remote: SocketAddress, via: number, now: Instant): boolean;
  /** Checks the target, again and again. */
  pursue(target: Target, now: Instant): void;
  /** Tells the peer that our part is done. */
  sayReady(): void;
  /** Asks for so many more sockets; they come with news. */
  wantSockets(count: number): void;
  /** Begins a run of many probes to the peer's attested IP; false if one goes on there. They count by themselves. */
  beginRun(address: string, now: Instant): boolean;
  /** One probe of that run. */
  probe(remote: SocketAddress, via: number, ttl?: number): void;
  /** Notes, for whoever asks why it failed, what stood in the way. */
  note(why: string): void;
}
