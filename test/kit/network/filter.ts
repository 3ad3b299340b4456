import type { Instant, Millis } from "../../../src/contract/clock.ts";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { endpointKey } from "./packet.ts";

/** How a NAT's mapping or filtering depends on the remote endpoint (RFC 4787 §4.1, §5). */
export type Dependence = "endpoint-independent" | "address-dependent" | "address-and-port-dependent";

/** How long a NAT or firewall remembers. */
export interface Lifetimes {
  /** Since the last refresh; 120 s if absent (RFC 4787 REQ-5). */
  readonly lifetime?: Millis;
  /** The same until something has come back; as `lifetime` if absent. Linux has 30 s. */
  readonly unrepliedLifetime?: Millis;
  /** Which packets refresh (RFC 4787 §4.3); `both` if absent, as in Linux. */
  readonly refresh?: "outbound" | "inbound" | "both";
}

/** RFC 4787 REQ-5: not less than two minutes. */
const LIFETIME: Millis = 120_000;

/** The remote endpoint as far as `dependence` looks at it. */
export function dependentKey(dependence: Dependence, remote: SocketAddress): string {
  if (dependence === "endpoint-independent") return "";
  return dependence === "address-dependent" ? remote.address : endpointKey(remote);
}

interface Session {
  until: Instant;
  replied: boolean;
}

/** Whom one inner endpoint has sent to of late, and so who may send back. */
export class Filter {
  readonly #filtering: Dependence;
  readonly #lifetimes: Lifetimes;
  readonly #sessions = new Map<string, Session>();
  #until: Instant = Number.NEGATIVE_INFINITY;

  constructor(filtering: Dependence, lifetimes: Lifetimes) {
    this.#filtering = filtering;
    this.#lifetimes = lifetimes;
  }

  /** Whether anything is still remembered. */
  alive(now: Instant): boolean {
    return now < this.#until;
  }

  /** The inner endpoint sends to `remote`. */
  outbound(remote: SocketAddress, now: Instant): void {
    const key = dependentKey(this.#filtering, remote);
    const known = this.#sessions.get(key);
    if (known && now < known.until) {
      if (this.#lifetimes.refresh !== "inbound") this.#refresh(known, now);
      return;
    }
    const session = { until: now, replied: false };
    this.#sessions.set(key, session);
    this.#refresh(session, now);
  }

  /** `remote` sends to the inner endpoint: whether it may. */
  inbound(remote: SocketAddress, now: Instant): boolean {
    const session = this.#sessions.get(dependentKey(this.#filtering, remote));
    if (!session || now >= session.until) return false;
    session.replied = true;
    if (this.#lifetimes.refresh !== "outbound") this.#refresh(session, now);
    return true;
  }

  #refresh(session: Session, now: Instant): void {
    const { lifetime = LIFETIME, unrepliedLifetime = lifetime } = this.#lifetimes;
    session.until = Math.max(session.until, now + (session.replied ? lifetime : unrepliedLifetime));
    this.#until = Math.max(this.#until, session.until);
  }
}
