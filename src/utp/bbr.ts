import type { Instant, Millis } from "../contract/clock.ts";
import { BandwidthFilter } from "./bandwidth-filter.ts";
import type { AckSample, CongestionController, ControllerOptions } from "./congestion.ts";

/** RFC 6928. */
const INITIAL_PACKETS = 10;
/** So that acknowledgements come one after another (draft-ietf-ccwg-bbr §2.7, MinPipeCwnd). */
const MIN_PACKETS = 4;
/** Where a round trip takes less than that, a queue cannot be told from the rest, and so many packets are in flight whatever is lost
 * (chosen: twice the initial window, 28 MB/s over 1 ms). */
const NEAR_PACKETS = 20;
/** What two event loops and one acknowledgement a burst add to a round trip; no timer paces anything finer (chosen). */
const LOOP_TIME: Millis = 2;
/** The bandwidth counts as found when it has grown by less than this in so many rounds (ibid. §5.3.1.2). */
const FULL_GROWTH = 1.25;
const FULL_ROUNDS = 3;
/** The path without a queue is looked at anew after so long, for so long (ibid. §2.14, ProbeRTTInterval, ProbeRTTDuration). */
const MIN_RTT_LIFETIME: Millis = 5000;
const PROBE_RTT_LENGTH: Millis = 200;
/** Losses beyond this share of a round are too many where there is a queue (ibid. §2.7, LossThresh); without one they are the
 * path's own, up to the second (chosen: what a radio loses at worst). */
const LOSS_BY_QUEUE = 0.02;
const LOSS_BY_PATH = 0.25;
/** A round trip this much longer than the least is a queue (chosen: above what reordering adds). */
const QUEUE = 1.1;
/** What too much loss leaves of the bytes in flight (ibid. §2.7, Beta). */
const LOSS_CUT = 0.7;
/** How long the bandwidth is used before more is asked for (chosen: long enough for TCP to grow back on usual paths). */
const CRUISE_ROUNDS = 6;
const CRUISE_TIME: Millis = 2000;
/** On near paths rounds are so short that asking after each few of them would lose a tenth of all packets (m). */
const LEAST_CRUISE: Millis = 100;
/** Rounds of asking for more: what is sent in one is heard of in the next. */
const UP_ROUNDS = 2;
/** Rounds that a phase with a goal lasts at most (chosen). */
const PATIENCE_ROUNDS = 3;
/** Packets a round trip asked for on top of a share. Flows that ask for shares alone stay as unequal as they are (chosen: least
 * that makes four equal within half a minute). */
const UP_PACKETS = 5;

type Phase = "startup" | "drain" | "down" | "cruise" | "up" | "probe-rtt";

/** How fast packets leave, in bandwidths, and how many may be in flight, in what the path holds (ibid. §5.6.1). */
const GAINS: Readonly<Record<Phase, { readonly pace: number; readonly window: number }>> = {
  startup: { pace: 2.77, window: 2 },
  drain: { pace: 0.5, window: 2 },
  down: { pace: 0.9, window: 2 },
  cruise: { pace: 1, window: 2 },
  up: { pace: 1.2, window: 2.25 },
  "probe-rtt": { pace: 1, window: 0.5 },
};

/**
 * Congestion control by a model of the path: the bandwidth it delivers and its round trip without a queue, in the manner of
 * BBRv3 (draft-ietf-ccwg-bbr). Fills paths that lose packets, and shares with TCP: it drains its queue after each
 * look for more, and a ceiling bounds what is in flight where that made a queue overflow.
 */
export class Bbr implements CongestionController {
  readonly name = "bbr";
  #payload: number;
  #window: number;
  #phase: Phase = "startup";
  #phaseSince: Instant = 0;
  #phaseRounds = 0;
  readonly #bandwidth = new BandwidthFilter();
  #minRtt: Millis = Number.POSITIVE_INFINITY;
  #minRttAt: Instant = 0;
  #smoothedRtt: Millis = 0;
  /** The bandwidth has been found, so that startup is over. */
  #found = false;
  #fullBandwidth = 0;
  #fullRounds = 0;
  /** Bytes in flight that made a queue overflow, or less; what a round of "up" adds to it, in packets. */
  #ceiling = Number.POSITIVE_INFINITY;
  #ceilingStep = UP_PACKETS;
  /** Before the last cut, in case it was a mistake or for a while. */
  #priorCeiling = Number.POSITIVE_INFINITY;
  #priorWindow = 0;
  /** A round ends when what was sent at its beginning is delivered. */
  #roundEnds = 0;
  #lost = 0;
  #rtts: Millis = 0;
  #rttCount = 0;

  constructor({ payload }: ControllerOptions) {
    this.#payload = payload;
    this.#window = INITIAL_PACKETS * payload;
  }

  onSent(): void {}

  onAck(sample: AckSample): void {
    this.#smoothedRtt = sample.smoothedRtt;
    this.#measure(sample);
    const roundOver = sample.priorDelivered >= this.#roundEnds;
    if (roundOver) this.#endRound(sample);
    if (this.#staleRtt(sample.now)) this.#probeRtt(sample);
    else this.#enter(this.#nextPhase(sample, roundOver), sample.now);
    this.#grow(sample.ackedBytes);
  }

  #measure({ now, rtt, deliveryRate, appLimited }: AckSample): void {
    // Limited by the application, a rate is at least what the path delivers.
    if (!appLimited || deliveryRate > this.#bandwidth.max) this.#bandwidth.add(deliveryRate);
    if (rtt === 0) return;
    this.#rtts += rtt;
    this.#rttCount++;
    if (rtt > this.#minRtt) return;
    this.#minRtt = rtt;
    this.#minRttAt = now;
  }

  #endRound(sample: AckSample): void {
    this.#phaseRounds++;
    if (this.#phase === "up") this.#ceilingStep *= 2;
    this.#judgeLosses(sample);
    if (!this.#found && !sample.appLimited) this.#judgeGrowth();
    this.#roundEnds = sample.delivered;
    this.#lost = this.#rtts = this.#rttCount = 0;
  }

  #judgeLosses({ delivered, priorInFlight }: AckSample): void {
    const round = this.#lost + delivered - this.#roundEnds;
    const near = this.#minRtt < LOOP_TIME;
    const queue = near || this.#rtts > this.#rttCount * (this.#minRtt * QUEUE + LOOP_TIME);
    if (this.#lost <= round * (queue ? LOSS_BY_QUEUE : LOSS_BY_PATH)) return;
    this.#priorCeiling = this.#ceiling;
    const tooMuch = Math.min(this.#ceiling, Math.max(priorInFlight, this.#inFlight(GAINS.cruise.window)));
    const least = near ? NEAR_PACKETS * this.#payload : this.#inFlight(1);
    this.#ceiling = Math.max(least, LOSS_CUT * tooMuch);
    this.#ceilingStep = UP_PACKETS;
    if (this.#phase === "startup") this.#found = true;
    if (this.#phase === "up") this.#phaseRounds = PATIENCE_ROUNDS + 1;
  }

  #judgeGrowth(): void {
    if (this.#bandwidth.max >= this.#fullBandwidth * FULL_GROWTH) {
      this.#fullBandwidth = this.#bandwidth.max;
      this.#fullRounds = 0;
    } else if (++this.#fullRounds >= FULL_ROUNDS) this.#found = true;
  }

  /** `gain` times the bytes that the path holds without a queue. */
  #inFlight(gain: number): number {
    if (this.#bandwidth.max === 0) return INITIAL_PACKETS * this.#payload;
    return Math.max(MIN_PACKETS * this.#payload, gain * this.#bandwidth.max * (this.#minRtt + LOOP_TIME));
  }

  #staleRtt(now: Instant): boolean {
    return this.#found && this.#phase !== "probe-rtt" && now - this.#minRttAt > MIN_RTT_LIFETIME;
  }

  #probeRtt({ now, rtt, smoothedRtt }: AckSample): void {
    this.#minRtt = rtt > 0 ? rtt : smoothedRtt;
    this.#minRttAt = now;
    this.#priorWindow = this.#window;
    this.#enter("probe-rtt", now);
  }

  #enter(phase: Phase, now: Instant): void {
    if (phase === this.#phase) return;
    // What "up" has found is heard of in the cycle that begins with its end.
    if (this.#phase === "up") this.#bandwidth.turn();
    if (this.#phase === "probe-rtt") this.#window = Math.max(this.#window, this.#priorWindow);
    this.#phase = phase;
    this.#phaseSince = now;
    this.#phaseRounds = 0;
  }

  #nextPhase({ now, inFlight }: AckSample, roundOver: boolean): Phase {
    const drained = inFlight <= this.#inFlight(1);
    switch (this.#phase) {
      case "startup":
        return this.#found ? "drain" : "startup";
      case "drain":
        return drained ? "down" : "drain";
      case "down":
        return drained || this.#phaseRounds > PATIENCE_ROUNDS ? "cruise" : "down";
      case "cruise":
        return roundOver && this.#mayAsk(now) ? "up" : "cruise";
      case "up":
        return this.#hasAsked(inFlight) ? "down" : "up";
      case "probe-rtt":
        return this.#hasSeen(now) ? "cruise" : "probe-rtt";
    }
  }

  #mayAsk(now: Instant): boolean {
    const cruised = now - this.#phaseSince;
    return (this.#phaseRounds >= CRUISE_ROUNDS && cruised >= LEAST_CRUISE) || cruised > CRUISE_TIME;
  }

  #hasAsked(inFlight: number): boolean {
    if (this.#phaseRounds > PATIENCE_ROUNDS) return true;
    const goal = Math.min(this.#ceiling, this.#inFlight(GAINS.up.pace));
    return this.#phaseRounds >= UP_ROUNDS && inFlight >= goal;
  }

  #hasSeen(now: Instant): boolean {
    return this.#phaseRounds > 0 && now - this.#phaseSince > PROBE_RTT_LENGTH + this.#minRtt;
  }

  #grow(ackedBytes: number): void {
    const extra = this.#phase === "up" ? UP_PACKETS * this.#payload : 0;
    const target = this.#inFlight(GAINS[this.#phase].window) + extra;
    if (this.#found) this.#window = Math.min(this.#window + ackedBytes, target);
    else if (this.#window < target) this.#window += ackedBytes;
    if (this.#phase !== "up" || this.#window < this.#ceiling) return;
    this.#ceiling += (this.#ceilingStep * this.#payload * ackedBytes) / this.#ceiling;
  }

  onLoss(_now: Instant, lostBytes: number): void {
    this.#lost += lostBytes;
  }

  onTimeout(): void {
    this.#priorWindow = Math.max(this.#priorWindow, this.#window);
    this.#window = this.#payload;
  }

  onSpurious(): void {
    this.#lost = 0;
    this.#ceiling = Math.max(this.#ceiling, this.#priorCeiling);
    this.#window = Math.max(this.#window, this.#priorWindow);
  }

  onPayload(payload: number): void {
    this.#payload = payload;
    this.#window = Math.max(this.#window, MIN_PACKETS * payload);
  }

  window(): number {
    return Math.min(this.#window, this.#ceiling);
  }

  pacingRate(): number {
    if (this.#smoothedRtt === 0 || this.#minRtt < LOOP_TIME) return Number.POSITIVE_INFINITY;
    const extra = this.#phase === "up" ? (UP_PACKETS * this.#payload) / this.#minRtt : 0;
    const rate = GAINS[this.#phase].pace * this.#bandwidth.max + extra;
    if (this.#found) return rate;
    return Math.max(rate, (GAINS.startup.pace * INITIAL_PACKETS * this.#payload) / this.#smoothedRtt);
  }
}
