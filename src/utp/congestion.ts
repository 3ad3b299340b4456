import type { Instant, Millis } from "../contract/clock.ts";

/** What one acknowledgement tells a controller. One object is filled again and again: copy what you keep. */
export interface AckSample {
  readonly now: Instant;
  /** Newly acknowledged bytes, selective ones included. */
  readonly ackedBytes: number;
  /** Round trip of the latest packet that was sent only once; 0 when there is none. */
  readonly rtt: Millis;
  readonly smoothedRtt: Millis;
  /** Infinity before the first sample. */
  readonly minRtt: Millis;
  /** One-way delay to the peer in µs by two unrelated clocks, modulo 2^32; 0 when unknown. */
  readonly delay: number;
  /** The same from the peer to us: only its drift against `delay` means something. */
  readonly peerDelay: number;
  /** Bytes in flight before and after this acknowledgement. */
  readonly priorInFlight: number;
  readonly inFlight: number;
  /** Bytes ever delivered, this acknowledgement included. */
  readonly delivered: number;
  /** What `delivered` was when the latest acknowledged packet was sent: a round has passed when it overtakes. */
  readonly priorDelivered: number;
  /** Bytes per ms delivered over that packet's flight; 0 when unknown (draft-ietf-ccwg-bbr, delivery rate). */
  readonly deliveryRate: number;
  /** The sender had nothing to send meanwhile, so that the rate is a lower bound. */
  readonly appLimited: boolean;
  /** The window, not the application or the peer, held the sender back. */
  readonly windowLimited: boolean;
}

/** Decides how much may be in flight and how fast it leaves. Owns no timer; all sizes in bytes, payload only. */
export interface CongestionController {
  readonly name: string;
  /** A packet leaves; `inFlight` includes it. */
  onSent(now: Instant, bytes: number, inFlight: number): void;
  onAck(sample: AckSample): void;
  /** Packets were found lost; `roundStart` when this is the first loss among what was sent since the last cut. */
  onLoss(now: Instant, lostBytes: number, inFlight: number, roundStart: boolean): void;
  /** The retransmission timer fired: everything in flight counts as lost. */
  onTimeout(now: Instant): void;
  /** The last loss or time-out was a mistake: what was lost has been delivered. */
  onSpurious(now: Instant): void;
  /** The path or its payload size has changed. */
  onPayload(payload: number): void;
  /** Bytes that may be in flight. */
  window(): number;
  /** Bytes per ms; Infinity: as the window allows. */
  pacingRate(): number;
}

/** What a controller starts with. */
export interface ControllerOptions {
  /** Payload bytes per packet. */
  readonly payload: number;
}
