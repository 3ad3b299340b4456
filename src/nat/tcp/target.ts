import type { Instant, Millis } from "../../contract/clock.ts";
import type { SocketAddress } from "../../contract/datagram-socket.ts";
import type { LinkKind } from "./candidate.ts";
import type { Link } from "./link.ts";

/** How long a SYN may stay without an answer, and how long both sides go on connecting to each other (chosen: two repetitions). */
export const PATIENCE: Millis = 4_000;
/** The same on a LAN (chosen: one repetition). */
export const NEAR_PATIENCE: Millis = 1_200;

/** An address of the peer, and how we connect to it: at agreed moments while it does the same, or once to where it listens. */
export class Target {
  readonly remote: SocketAddress;
  readonly kind: LinkKind;
  /** A connection that does not come about is given up after that. */
  readonly patience: Millis;
  /** A NAT may stand before it that minds who sends first: a public IPv4 address. */
  readonly outside: boolean;
  /** The connection that is open, or about to. */
  link: Link | undefined;
  /** When the next one leaves; undefined: not as things are. */
  due: Instant | undefined;

  constructor({ address, port }: SocketAddress, kind: LinkKind, patience: Millis, outside: boolean) {
    this.remote = { address, port };
    this.kind = kind;
    this.patience = patience;
    this.outside = outside;
  }

  /** Whether both sides connect, from the ports that they have told each other. */
  get mutual(): boolean {
    return this.kind !== "listening";
  }
}
