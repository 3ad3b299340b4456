import type { Instant, Millis } from "../contract/clock.ts";
import type { AckSample, CongestionController, ControllerOptions } from "./congestion.ts";
import { DelayHistory } from "./delay-history.ts";

/** Queueing delay LEDBAT adds (RFC 6817 §2.4.2 allows up to 100 ms; 60 is what its successor LEDBAT++ takes). */
const TARGET: Millis = 60;
/** RFC 6928. */
const INITIAL_PACKETS = 10;
/** RFC 6817 §2.4.2, MIN_CWND. */
const MIN_PACKETS = 2;
/** Slow start ends when the queue is this share of a round trip, within these bounds (RFC 9406, HyStart++). */
const EXIT_SHARE = 1 / 8;
const EXIT_LEAST: Millis = 4;
const EXIT_MOST: Millis = 16;
/** Rounds without queue mean an idle link; after so many in a row the window grows this much a round (chosen: in twelve
 * rounds tenfold, and beyond the link's capacity by no more than a quarter). */
const IDLE_ROUNDS = 4;
const IDLE_GROWTH = 1.25;
const EMPTY_QUEUE: Millis = 3;
/** Where losses come before the target is reached, the buffer is small: the target is this share of it, in bounds (chosen). */
const SMALL_BUFFER_SHARE = 0.4;
const MIN_TARGET: Millis = 10;
/** How fast the target comes back, per round (chosen: half of the way in some 200 rounds). */
const TARGET_RECOVERY = 1 / 256;
/** LEDBAT++ §4.4 slows down now and then to see the base delay. This often, that deep, and so many rounds (chosen: ours drains
 * the queue and no more, so that it costs next to nothing). */
const SLOWDOWN_EVERY: Millis = 5000;
const SLOWDOWN_EVERY_RTTS = 60;
const SLOWDOWN_DEPTH = 1 / 4;
const SLOWDOWN_ROUNDS = 2;
/** How much faster than the window per round trip packets may leave (as Linux paces TCP). */
const SLOW_START_PACE = 2;
const PACE = 1.25;

/**
 * Delay-based congestion control that yields to TCP: RFC 6817 with what LEDBAT++ (draft-irtf-iccrg-ledbat-plus-plus) adds to
 * it: a gain that falls with the base delay, multiplicative decrease, and a slow start that ends before there is a queue.
 */
export class Ledbat implements CongestionController {
  readonly name = "ledbat";
  #payload: number;
  #window: number;
  #threshold = Number.POSITIVE_INFINITY;
  /** Before the last loss or time-out, in case it was a mistake. */
  #undo: { readonly window: number; readonly threshold: number } | undefined;
  #smoothedRtt: Millis = 0;
  /** A round ends when what was sent at its beginning is delivered. */
  #roundEnds = 0;
  /** The least queueing delay of the round: bursts are no queue. */
  #queue: Millis = Number.POSITIVE_INFINITY;
  #limited = false;
  #idleRounds = 0;
  #target = TARGET;
  #slowdownAt: Instant = Number.POSITIVE_INFINITY;
  /** Rounds left of a slowdown, and the window to go back to. */
  #slowRounds = 0;
  #resumeWindow = 0;
  readonly #delay = new DelayHistory();
  readonly #peerDelay = new DelayHistory();

  constructor(options: ControllerOptions) {
    this.#payload = options.payload;
    this.#window = INITIAL_PACKETS * options.payload;
  }

  onSent(): void {}

  onAck(sample: AckSample): void {
    const queueing = this.#queueing(sample);
    this.#smoothedRtt = sample.smoothedRtt;
    this.#queue = Math.min(this.#queue, queueing);
    this.#limited ||= sample.windowLimited;
    if (this.#window < this.#threshold) this.#slowStart(sample, queueing);
    if (sample.priorDelivered < this.#roundEnds) return;
    if (this.#slowRounds > 0) this.#endSlowdown(sample.now);
    else if (sample.now >= this.#slowdownAt) this.#beginSlowdown(sample.minRtt);
    else if (this.#window >= this.#threshold) this.#avoid(queueing);
    this.#beginRound(sample.delivered);
  }

  #beginSlowdown(minRtt: Millis): void {
    this.#slowRounds = SLOWDOWN_ROUNDS;
    this.#resumeWindow = (this.#window * minRtt) / (minRtt + this.#queue);
    this.#setWindow(this.#resumeWindow * SLOWDOWN_DEPTH);
  }

  #planSlowdown(now: Instant): void {
    this.#slowdownAt = now + Math.max(SLOWDOWN_EVERY, SLOWDOWN_EVERY_RTTS * this.#smoothedRtt);
  }

  #endSlowdown(now: Instant): void {
    if (--this.#slowRounds > 0) return;
    this.#setWindow(this.#resumeWindow);
    this.#planSlowdown(now);
  }

  /** Slow start is over. */
  #setWindow(window: number): void {
    this.#window = this.#threshold = Math.max(MIN_PACKETS * this.#payload, window);
  }

  #beginRound(delivered: number): void {
    this.#roundEnds = delivered;
    this.#queue = Number.POSITIVE_INFINITY;
    this.#limited = false;
  }

  /** Queueing delay in ms. A falling base the other way round is clock drift, not a shorter queue. */
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
    const { minRtt } = sample;
    const exit = Math.max(EXIT_LEAST, Math.min(EXIT_MOST, minRtt * EXIT_SHARE));
    if (queueing > exit) {
      // The delay tells of a round trip ago, when the window was half of what it is.
      this.#setWindow(Math.max(this.#window / 2, Math.min(this.#window, sample.deliveryRate * minRtt)));
      this.#planSlowdown(sample.now);
      this.#beginRound(sample.delivered + sample.inFlight);
    } else if (sample.windowLimited) this.#window += sample.ackedBytes;
  }

  /** Once a round; `latest` is the queue at its end. */
  #avoid(latest: Millis): void {
    this.#idleRounds = latest < EMPTY_QUEUE && this.#limited ? this.#idleRounds + 1 : 0;
    if (this.#idleRounds > IDLE_ROUNDS) {
      this.#setWindow(this.#window * IDLE_GROWTH);
      return;
    }
    const excess = this.#queue / this.#target - 1;
    this.#target += (TARGET - this.#target) * TARGET_RECOVERY;
    // LEDBAT++ §4.2: down in proportion, or a newcomer starves those who know the true base.
    if (excess > 0) this.#setWindow(this.#window * Math.max(0.5, 1 - excess));
    else if (this.#limited) this.#setWindow(this.#window - this.#gain() * excess * this.#payload);
  }

  /** LEDBAT++ §4.1: the shorter the path, the slower against TCP. */
  #gain(): number {
    return 1 / Math.min(16, Math.ceil((2 * TARGET) / Math.max(1, this.#smoothedRtt)));
  }

  onLoss(_now: Instant, _lostBytes: number, _inFlight: number, roundStart: boolean): void {
    if (!roundStart) return;
    this.#remember();
    this.#setWindow(this.#window / 2);
    const queue = this.#delay.queueing / 1000;
    if (queue > MIN_TARGET) {
      this.#target = Math.max(MIN_TARGET, Math.min(this.#target, queue * SMALL_BUFFER_SHARE));
    }
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
    this.#window = Math.max(this.#window, MIN_PACKETS * payload);
  }

  window(): number {
    return this.#window;
  }

  pacingRate(): number {
    if (this.#smoothedRtt === 0) return Number.POSITIVE_INFINITY;
    const pace = this.#window < this.#threshold ? SLOW_START_PACE : PACE;
    return (pace * this.#window) / this.#smoothedRtt;
  }

  #remember(): void {
    if (this.#undo && this.#undo.window > this.#window) return;
    this.#undo = { window: this.#window, threshold: this.#threshold };
  }
}
