import type { Instant, Millis } from "../contract/clock.ts";
import type { SentPacket } from "./flight.ts";

/**
 * Measures how fast the path delivers: bytes delivered between a packet's departure and its acknowledgement, over
 * the longer of the times it took to send and to acknowledge them (draft-ietf-ccwg-bbr §4.1).
 */
export class DeliveryRate {
  /** Bytes ever delivered. */
  delivered = 0;
  /** Of the acknowledgement at hand: see AckSample. */
  priorDelivered = 0;
  rate = 0;
  appLimited = false;
  #deliveredAt: Instant = 0;
  #firstSentAt: Instant = 0;
  /** While `delivered` is below, samples are limited by the application. */
  #appLimitedUntil = 0;
  #latestOrder = -1;
  #sendElapsed = 0;
  #priorDeliveredAt: Instant = 0;

  /** A packet leaves; `idle` if nothing was in flight. */
  onSent(packet: SentPacket, idle: boolean, now: Instant): void {
    if (idle) this.#firstSentAt = this.#deliveredAt = now;
    packet.delivered = this.delivered;
    packet.deliveredAt = this.#deliveredAt;
    packet.firstSentAt = this.#firstSentAt;
    packet.appLimited = this.delivered < this.#appLimitedUntil;
  }

  /** The application has nothing to send although the window would allow it. */
  onAppLimited(inFlight: number): void {
    this.#appLimitedUntil = this.delivered + Math.max(1, inFlight);
  }

  /** An acknowledgement begins. */
  begin(): void {
    this.#latestOrder = -1;
    this.rate = 0;
  }

  /** One packet of this acknowledgement. */
  onDelivered(packet: SentPacket, now: Instant): void {
    this.delivered += packet.length;
    this.#deliveredAt = now;
    if (packet.order <= this.#latestOrder) return;
    this.#latestOrder = packet.order;
    this.priorDelivered = packet.delivered;
    this.appLimited = packet.appLimited;
    this.#priorDeliveredAt = packet.deliveredAt;
    this.#sendElapsed = packet.sentAt - packet.firstSentAt;
    this.#firstSentAt = packet.sentAt;
  }

  /**
   * The acknowledgement is complete: sets `rate`. What took less than `minRtt` was acknowledged before it was sent again, and
   * says nothing (ibid.).
   */
  finish(minRtt: Millis): void {
    if (this.#latestOrder < 0) return;
    const elapsed = Math.max(this.#sendElapsed, this.#deliveredAt - this.#priorDeliveredAt);
    this.rate = elapsed > 0 && elapsed >= minRtt ? (this.delivered - this.priorDelivered) / elapsed : 0;
  }
}
