import type { Instant, Millis } from "../../contract/clock.ts";
import type { TcpCandidate } from "./candidate.ts";
import type { Link } from "./link.ts";

/** A candidate of the peer, and how we connect to it: again and again, or once to where it listens. */
export class Target {
  readonly candidate: TcpCandidate;
  /** A connection that does not come about is given up after that. */
  readonly patience: Millis;
  /** A NAT may stand before it that minds who sends first: a public IPv4 address nobody listens at. */
  readonly outside: boolean;
  /** The connection that is open, or about to. */
  link: Link | undefined;
  /** When the next one leaves; undefined: not as things are. */
  due: Instant | undefined;

  constructor(candidate: TcpCandidate, patience: Millis, outside: boolean) {
    this.candidate = candidate;
    this.patience = patience;
    this.outside = outside;
  }

  /** Whether both sides connect, from the ports that they have told each other. */
  get mutual(): boolean {
    return this.candidate.kind !== "listening";
  }
}
