import type { Instant, Millis } from "../contract/clock.ts";
import type { AckSample, CongestionController, ControllerOptions } from "./congestion.ts";
import { DelayHistory } from "./delay-history.ts";

/** Queueing delay LEDBAT adds (RFC 6817 §2.4.2 allows up to 100 ms; 60 is what its successor LEDBAT++ takes). */
const TARGET: Millis = 60;
/** RFC 6928. */
const INITIAL_PACKETS = 10;
/** RFC 6817 §2.4.2, MIN_CWND. */
const MIN_PACKETS = 2;
/** Slow start ends before the queue is at its target (LEDBAT++ §4.2). */
const SLOW_START_EXIT = 0.75;

/** Delay-based congestion control that yields to TCP (RFC 6817). */
export class Ledbat implements CongestionController {
  readonly name = "ledbat";
  #payload: number;
  #window: number;
  #threshold = Number.POSITIVE_INFINITY;
  /** Before the last loss or time-out, in case it was a mistake. */
  #undo: { readonly window: number; readonly threshold: number } | undefined;
  readonly #delay = new DelayHistory();
  readonly #peerDelay = new DelayHistory();

  constructor(options: ControllerOptions) {
    this.#payload = options.payload;
    this.#window = INITIAL_PACKETS * options.payload;
  }

  onSent(): void {}

  onAck(sample: AckSample): void {
    const queueing = this.#queueing(sample);
    if (this.#window < this.#threshold) this.#slowStart(sample, queueing);
    else this.#avoid(sample, queueing);
    this.#window = Math.max(this.#window, MIN_PACKETS * this.#payload);
  }

  /** Queueing delay in ms. A rising base the other way round is clock drift, not a shorter queue. */
  #queueing(sample: AckSample): Millis {
    if (sample.peerDelay !== 0) {
      const drift = this.#peerDelay.add(sample.peerDelay, sample.now);
      if (drift > 0 && this.#delay.base !== Number.POSITIVE_INFINITY) this.#delay.shift(drift);
    }
    if (sample.delay !== 0) this.#delay.add(sample.delay, sample.now);
    const queueing = this.#delay.queueing / 1000;
    // A one-way delay cannot be longer than a round trip; a peer that says so has set its clock, or lies.
    return sample.rtt > 0 ? Math.min(queueing, sample.rtt) : queueing;
  }

  #slowStart(sample: AckSample, queueing: Millis): void {
    if (queueing > TARGET * SLOW_START_EXIT) {
      // What is in the queue is above what the path holds by itself.
      this.#window *= sample.minRtt / (sample.minRtt + queueing);
      this.#threshold = this.#window;
    } else if (sample.windowLimited) this.#window += sample.ackedBytes;
  }

  #avoid(sample: AckSample, queueing: Millis): void {
    const { ackedBytes } = sample;
    const perWindow = ackedBytes / this.#window;
    if (queueing <= TARGET) {
      if (sample.windowLimited) this.#window += (1 - queueing / TARGET) * perWindow * this.#payload;
      return;
    }
    // LEDBAT++ §4.1: multiplicative, or a newcomer starves those who know the true base.
    this.#window -= Math.min(0.5, queueing / TARGET - 1) * ackedBytes;
  }

  onLoss(_now: Instant, _lostBytes: number, _inFlight: number, roundStart: boolean): void {
    if (!roundStart) return;
    this.#remember();
    this.#window = Math.max(MIN_PACKETS * this.#payload, this.#window / 2);
    this.#threshold = this.#window;
  }

  onTimeout(): void {
    this.#remember();
    this.#threshold = Math.max(MIN_PACKETS * this.#payload, this.#window / 2);
    this.#window = this.#payload;
  }

  onSpurious(): void {
    if (!this.#undo) return;
    this.#window = Math.max(this.#window, this.#undo.window);
    this.#threshold = Math.max(this.#threshold, this.#undo.threshold);
    this.#undo = undefined;
  }

  onPayload(payload: number): void {
    this.#payload = payload;
  }

  window(): number {
    return this.#window;
  }

  pacingRate(): number {
    return Number.POSITIVE_INFINITY;
  }

  #remember(): void {
    if (this.#undo && this.#undo.window > this.#window) return;
    this.#undo = { window: this.#window, threshold: this.#threshold };
  }
}
