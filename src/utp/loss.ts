import { serialLess } from "../base/serial.ts";
import type { Instant, Millis } from "../contract/clock.ts";
import type { Flight, SentPacket } from "./flight.ts";
import type { RoundTripTime } from "./rtt.ts";

/** Packets delivered after a missing one that make it lost while no reordering was seen (RFC 8985 §6.2). */
const REORDER_THRESHOLD = 3;
/** Recoveries without a mistake after which the reordering window shrinks again (RFC 8985 §6.2). */
const WINDOW_LIFETIME = 16;
/** An acknowledgement this much sooner than any round trip belongs to an earlier transmission. */
const TOO_SOON = 0.75;

/**
 * Finds lost packets by time of transmission (RACK, RFC 8985): one is lost when another that left later was delivered
 * and a reordering window has passed. uTP has no DSACK, so a retransmission that is acknowledged sooner than a
 * round trip can be tells that it was a mistake and widens the window.
 */
export class LossDetection {
  /** When the next packet will count as lost by time alone. */
  deadline: Instant = Number.POSITIVE_INFINITY;
  readonly #flight: Flight;
  readonly #rtt: RoundTripTime;
  /** Latest transmission known to be delivered. */
  #order = -1;
  #sentAt: Instant = 0;
  #flightTime: Millis = 0;
  /** Highest sequence number delivered. */
  #highest: number;
  #reorderingSeen = false;
  #windowFactor = 1;
  #windowUses = 0;

  constructor(flight: Flight, rtt: RoundTripTime) {
    this.#flight = flight;
    this.#rtt = rtt;
    this.#highest = flight.una;
  }

  /** Call for each packet the first time it is acknowledged. Returns whether its last transmission was needless. */
  onDelivered(packet: SentPacket, now: Instant): boolean {
    const flightTime = now - packet.sentAt;
    const again = packet.transmissions > 1;
    const needless = again && flightTime < this.#rtt.min * TOO_SOON;
    if (serialLess(packet.seq, this.#highest)) {
      if (!again) this.#reorderingSeen = true;
    } else this.#highest = packet.seq;
    if (!needless && packet.order > this.#order) {
      this.#order = packet.order;
      this.#sentAt = packet.sentAt;
      this.#flightTime = flightTime;
    }
    return needless;
  }

  /** A recovery was a mistake: wait longer next time. */
  onSpurious(): void {
    this.#reorderingSeen = true;
    this.#windowFactor = Math.min(this.#windowFactor + 1, 16);
    this.#windowUses = 0;
  }

  /** A recovery begins. */
  onRecovery(): void {
    if (++this.#windowUses < WINDOW_LIFETIME) return;
    this.#windowUses = 0;
    this.#windowFactor = 1;
  }

  /** Moves what must be lost from `inFlight` to `lost`, oldest first, and returns the first of them. */
  detect(now: Instant, recovering: boolean): SentPacket | undefined {
    this.deadline = Number.POSITIVE_INFINITY;
    let first: SentPacket | undefined;
    const window = this.#reorderingWindow(recovering);
    for (let packet = this.#flight.inFlight.head; packet && packet.order < this.#order; ) {
      const due = packet.sentAt + this.#flightTime + window;
      if (due > now && window > 0) {
        this.deadline = due;
        break;
      }
      const following: SentPacket | undefined = packet.after;
      this.#flight.lose(packet);
      first ??= packet;
      packet = following;
    }
    return first;
  }

  #reorderingWindow(recovering: boolean): Millis {
    if (!this.#reorderingSeen && (recovering || this.#flight.sacked >= REORDER_THRESHOLD)) return 0;
    const { min, smoothed } = this.#rtt;
    return min === Number.POSITIVE_INFINITY ? 0 : Math.min((this.#windowFactor * min) / 4, smoothed);
  }
}
