import type { Instant } from "../contract/clock.ts";
import type { CongestionController } from "./congestion.ts";
import type { Flight, SentPacket } from "./flight.ts";
import { LossDetection } from "./loss.ts";
import type { RoundTripTime } from "./rtt.ts";

/** Tells a controller of losses, once a round trip that it has to cut its window, and when a cut was a mistake. */
export class Recovery {
  readonly #flight: Flight;
  readonly #loss: LossDetection;
  /** Losses of packets that left up to this order belong to the recovery that is going on. */
  #cutAt = 0;
  /** Retransmissions of the present recovery that may still prove needless. */
  #undoable = 0;

  constructor(flight: Flight, rtt: RoundTripTime) {
    this.#flight = flight;
    this.#loss = new LossDetection(flight, rtt);
  }

  /** When `detect` is to be called although nothing was acknowledged. */
  get deadline(): Instant {
    return this.#loss.deadline;
  }

  /** A lost packet leaves again. */
  onRetransmission(): void {
    this.#undoable++;
  }

  /** A packet was acknowledged the first time. Returns 1 if its last transmission was needless. */
  onDelivered(packet: SentPacket, now: Instant): number {
    return this.#loss.onDelivered(packet, now) ? 1 : 0;
  }

  /** When every retransmission of a recovery was needless, so was the cut. */
  undo(needless: number, now: Instant, controller: CongestionController): void {
    if (needless === 0) return;
    this.#undoable -= needless;
    if (this.#undoable > 0) return;
    this.#undoable = 0;
    this.#loss.onSpurious();
    controller.onSpurious(now);
  }

  /** Finds what is lost; `order` is that of the latest transmission. */
  detect(now: Instant, order: number, controller: CongestionController): void {
    const { inFlight, lost } = this.#flight;
    const { bytes, head } = inFlight;
    const recovering = lost.count > 0 || (head !== undefined && head.order <= this.#cutAt);
    const first = this.#loss.detect(now, recovering);
    if (!first) return;
    const roundStart = first.order > this.#cutAt;
    if (roundStart) {
      this.#cutAt = order;
      this.#undoable = 0;
      this.#loss.onRecovery();
    }
    controller.onLoss(now, bytes - inFlight.bytes, inFlight.bytes, roundStart);
  }

  /** The retransmission timer fired: everything in flight is lost. */
  onTimeout(order: number): void {
    const { inFlight } = this.#flight;
    this.#undoable = 0;
    this.#cutAt = order;
    while (inFlight.head) this.#flight.lose(inFlight.head);
  }

  /** Nothing will be sent again. */
  stop(): void {
    this.#loss.deadline = Number.POSITIVE_INFINITY;
  }
}
