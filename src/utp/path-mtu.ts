import type { Instant, Millis } from "../contract/clock.ts";
import { HEADER_SIZE } from "./packet.ts";

/** What usual paths carry, as IPv4 payload: Ethernet, PPPoE, tunnels and VPNs (RFC 8899 leaves the search open). */
const STEPS = [1452, 1444, 1392, 1332, 1272] as const;
/** IPv6 headers are 20 bytes longer. */
const IPV6_EXTRA = 20;
/** Probes of one size before it counts as too large: one may be lost by chance (RFC 8899 §5.1.2 takes 3). */
const MAX_PROBES = 2;
/** What a probe's answer may take before there is a round-trip time (RFC 8899 §5.1.1 asks for a second and more). */
const PROBE_TIMEOUT: Millis = 1000;
/** After a fall, how long the path is left alone (chosen). */
const REST: Millis = 5000;
/** After the search, when to look again whether more fits (RFC 8899 §5.1.1, PMTU_RAISE_TIMER). */
const RAISE_AFTER: Millis = 600_000;

/**
 * How large packets may be (RFC 8899 in spirit). Starts at a size that every path carries and sends padded probes besides the
 * data, so that a lost probe costs nothing. Node cannot forbid fragmentation, so a delivered one proves only that the
 * size is usable: the ceiling is Ethernet's. When even retransmissions vanish, the size falls back.
 */
export class PathMtu {
  /** Payload of new packets. */
  payload: number;
  /** When `expire` has something to do. */
  deadline: Instant = Number.POSITIVE_INFINITY;
  readonly #base: number;
  readonly #sizes: readonly number[];
  /** Index into the sizes of the one being tried; past the end when the search is over. */
  #trying = 0;
  #probes = 0;
  #state: "idle" | "due" | "sent" | "resting" | "over" = "idle";

  /** `ceiling`: most that may be tried; `family` 6 has less room. */
  constructor(start: number, ceiling: number, family: 0 | 4 | 6) {
    this.payload = start;
    this.#base = Math.min(start, 1200);
    const extra = family === 6 ? IPV6_EXTRA : 0;
    this.#sizes = STEPS.map((step) => Math.min(ceiling, step - extra));
  }

  /** Bulk data flows to a peer that answers probes: the search may begin. */
  begin(): void {
    if (this.#state === "idle") this.#state = this.#target === undefined ? "over" : "due";
  }

  /** The size of the probe datagram to send now, or 0. Counts as sent. */
  takeProbe(now: Instant, rto: Millis): number {
    if (this.#state !== "due") return 0;
    const target = this.#target;
    if (target === undefined) {
      this.#rest(now, RAISE_AFTER);
      return 0;
    }
    this.#state = "sent";
    this.#probes++;
    this.deadline = now + Math.min(rto, PROBE_TIMEOUT);
    return HEADER_SIZE + target;
  }

  /** A probe of `size` bytes has arrived at the peer. True if packets may be larger now. */
  answered(size: number, now: Instant): boolean {
    if (this.#target === undefined || size !== HEADER_SIZE + this.#target) return false;
    this.payload = this.#target;
    this.#rest(now, RAISE_AFTER);
    return true;
  }

  /** Large packets vanish, retransmissions included, or the system refuses them. True if packets must be smaller now. */
  fall(now: Instant): boolean {
    if (this.payload <= this.#base) return false;
    this.payload = this.#base;
    this.#rest(now, REST);
    return true;
  }

  expire(now: Instant): void {
    if (this.deadline > now) return;
    this.deadline = Number.POSITIVE_INFINITY;
    if (this.#state === "resting") this.#restart();
    else if (this.#probes < MAX_PROBES) this.#state = "due";
    else {
      this.#trying++;
      this.#probes = 0;
      this.#state = "due";
    }
  }

  /** The next size worth trying. */
  get #target(): number | undefined {
    while (this.#trying < this.#sizes.length && this.#sizes[this.#trying - 1] === this.#sizes[this.#trying]) {
      this.#trying++;
    }
    const size = this.#sizes[this.#trying];
    return size !== undefined && size > this.payload ? size : undefined;
  }

  #rest(now: Instant, length: Millis): void {
    this.#state = "resting";
    this.deadline = now + length;
  }

  #restart(): void {
    this.#trying = this.#probes = 0;
    this.#state = "idle";
  }
}
