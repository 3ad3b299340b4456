import { serialDistance } from "../base/serial.ts";
import type { Instant, Millis } from "../contract/clock.ts";
import type { AckSample, CongestionController } from "./congestion.ts";
import { DeliveryRate } from "./delivery-rate.ts";
import { Flight, type SentPacket } from "./flight.ts";
import { LossDetection } from "./loss.ts";
import { EXTENSION_HEADER_SIZE } from "./packet.ts";
import { RoundTripTime } from "./rtt.ts";
import { SendBuffer } from "./send-buffer.ts";

/** Least wait before a tail loss probe: what two event loops may take to answer (chosen). */
const MIN_PROBE_TIMEOUT: Millis = 10;
/** Pacing lets packets leave this much early, since timers are no finer (chosen). */
const PACING_SLACK: Millis = 1;
/** The zero-window probe backs off to this (RFC 9293 §3.8.6.1 asks for back-off and leaves the bound). */
const MAX_PERSIST: Millis = 15_000;

/** What a sender needs to know. */
export interface SenderOptions {
  /** The first sequence number of DATA. */
  readonly first: number;
  readonly minRto: Millis;
  readonly noDelay: boolean;
  readonly boundaries: boolean;
  readonly maxInFlight: number;
  readonly controller: CongestionController;
}

/** What `acknowledge` learns from a packet. */
export interface Acknowledgement {
  readonly ack: number;
  readonly window: number;
  readonly sackStart: number;
  readonly sackLength: number;
  readonly data: Uint8Array;
  readonly timestampDifference: number;
}

class Sample implements AckSample {
  now: Instant = 0;
  ackedBytes = 0;
  rtt: Millis = 0;
  smoothedRtt: Millis = 0;
  minRtt: Millis = 0;
  delay = 0;
  peerDelay = 0;
  priorInFlight = 0;
  inFlight = 0;
  delivered = 0;
  priorDelivered = 0;
  deliveryRate = 0;
  appLimited = false;
  windowLimited = false;
}

/** One sample serves every connection: controllers copy what they keep. */
const sample = new Sample();

/** The sending half of a connection: what is written, what is in flight, what is lost, and when to try again. */
export class Sender {
  readonly rtt: RoundTripTime;
  readonly buffer: SendBuffer;
  readonly flight: Flight;
  controller: CongestionController;
  noDelay: boolean;
  /** Most payload bytes of a new packet, its metadata extension included. */
  payload: number;
  /** What the peer last said it can take. */
  peerWindow = 0;
  maxInFlight: number;
  /** Consecutive time-outs. */
  timeouts = 0;
  retransmitted = 0;
  totalTimeouts = 0;
  /** When `una` last moved, or the flight began. */
  progressAt: Instant = 0;
  readonly #rate = new DeliveryRate();
  readonly #loss: LossDetection;
  #fin: "none" | "wanted" | "sent" = "none";
  #order = 0;
  /** Losses of packets that left before this order belong to the recovery that is going on. */
  #recoveryOrder = 0;
  /** Retransmissions of the present recovery that may still prove needless. */
  #undoable = 0;
  #rtoAt: Instant = Number.POSITIVE_INFINITY;
  #probed = false;
  /** A packet may leave whatever the window says. */
  #probeDue = false;
  #windowLimited = false;
  #pacedUntil: Instant = 0;

  constructor(options: SenderOptions, payload: number) {
    this.rtt = new RoundTripTime(options.minRto);
    this.buffer = new SendBuffer(options.boundaries);
    this.flight = new Flight(options.first);
    this.#loss = new LossDetection(this.flight, this.rtt);
    this.controller = options.controller;
    this.noDelay = options.noDelay;
    this.maxInFlight = options.maxInFlight;
    this.payload = payload;
  }

  /** Bytes written and not acknowledged. */
  get unacknowledged(): number {
    return this.buffer.unsent + this.flight.outstanding;
  }

  /** The peer has acknowledged our FIN. */
  get finished(): boolean {
    return this.#fin === "sent" && this.flight.span === 0;
  }

  /** Our end was asked for. */
  get ending(): boolean {
    return this.#fin !== "none";
  }

  /** Sends FIN after everything written. */
  end(): void {
    if (this.#fin === "none") this.#fin = "wanted";
  }

  /** The next packet to send, already counted as sent; undefined when nothing may leave now. */
  poll(now: Instant): SentPacket | undefined {
    if (this.#pacedUntil - PACING_SLACK > now && !this.#probeDue) return undefined;
    const idle = this.flight.inFlight.count === 0;
    const packet = this.#retransmission() ?? this.#fresh(now) ?? this.#tailProbe();
    if (!packet) return undefined;
    this.#probeDue = false;
    packet.order = ++this.#order;
    packet.sentAt = now;
    if (++packet.transmissions > 1) this.retransmitted++;
    this.#rate.onSent(packet, idle, now);
    this.controller.onSent(now, packet.length, this.flight.inFlight.bytes);
    this.#pace(packet.length, now);
    if (this.#rtoAt === Number.POSITIVE_INFINITY) this.#arm(now);
    return packet;
  }

  #pace(bytes: number, now: Instant): void {
    const rate = this.controller.pacingRate();
    if (rate === Number.POSITIVE_INFINITY) this.#pacedUntil = 0;
    else this.#pacedUntil = Math.max(now, this.#pacedUntil) + bytes / rate;
  }

  #retransmission(): SentPacket | undefined {
    const packet = this.flight.lost.head;
    if (!packet) return undefined;
    const { inFlight } = this.flight;
    const fits = inFlight.bytes + packet.length <= this.controller.window() || inFlight.count === 0;
    if (!fits && !this.#probeDue) return undefined;
    this.flight.resend(packet);
    this.#undoable++;
    return packet;
  }

  /** A packet of bytes that were never sent, or the FIN after them. */
  #fresh(now: Instant): SentPacket | undefined {
    const { flight, buffer } = this;
    if (flight.lost.count > 0 || flight.span >= this.maxInFlight) return undefined;
    const length = this.#freshLength();
    if (length === 0 && (this.#fin !== "wanted" || buffer.unsent > 0)) return undefined;
    if (flight.span === 0) this.progressAt = now;
    const packet = flight.open();
    if (length > 0) buffer.take(packet, length);
    else {
      packet.fin = true;
      packet.length = 0;
      this.#fin = "sent";
    }
    flight.opened(packet);
    return packet;
  }

  #freshLength(): number {
    const { flight, buffer } = this;
    if (buffer.unsent === 0) {
      if (flight.inFlight.bytes < this.controller.window()) this.#rate.onAppLimited(flight.inFlight.bytes);
      this.#windowLimited = false;
      return 0;
    }
    const { meta } = buffer;
    const limit = meta ? this.payload - meta.length - EXTENSION_HEADER_SIZE : this.payload;
    const length = buffer.available(limit);
    if (length < limit && this.#waitsForMore(length)) return 0;
    return this.#windowed(length);
  }

  /** Nagle (RFC 9293 §3.7.4): a small packet waits while another is unacknowledged. */
  #waitsForMore(length: number): boolean {
    return !this.noDelay && this.#fin === "none" && this.flight.span > 0 && this.buffer.mayGrow(length);
  }

  /** How much of `length` the windows allow: all, nothing, or less when the peer's window is small and empty. */
  #windowed(length: number): number {
    const { flight } = this;
    if (this.#probeDue) return length;
    if (flight.inFlight.bytes + length > this.controller.window() && flight.inFlight.count > 0) {
      this.#windowLimited = true;
      return 0;
    }
    const room = this.peerWindow - flight.outstanding;
    if (length <= room) return length;
    return flight.span === 0 && room > 0 ? room : 0;
  }

  /** The last packet again, when nothing else can be used to ask for an acknowledgement (RFC 8985 §7). */
  #tailProbe(): SentPacket | undefined {
    if (!this.#probeDue) return undefined;
    const packet = this.flight.inFlight.tail;
    if (packet) this.flight.resend(packet);
    else this.#probeDue = false;
    return packet;
  }

  /**
   * Takes a packet's acknowledgement, which is known to be of something sent. `rtt`: from other packets than DATA, or 0.
   * Returns whether anything was newly acknowledged.
   */
  acknowledge(packet: Acknowledgement, peerDelay: number, now: Instant): boolean {
    const { flight } = this;
    sample.ackedBytes = 0;
    sample.rtt = 0;
    sample.priorInFlight = flight.inFlight.bytes;
    const { una } = flight;
    const sacked = flight.sacked;
    this.#rate.begin();
    let needless = 0;
    for (let count = serialDistance(packet.ack, una) + 1; count > 0; count--) {
      const sent = flight.at(flight.una)!;
      if (flight.deliver(sent)) needless += this.#delivered(sent, now);
      flight.shift(sent);
    }
    if (packet.sackLength > 0) needless += this.#selective(packet, now);
    this.peerWindow = packet.window;
    const progress = una !== flight.una;
    if (!progress && sacked === flight.sacked) return false;
    if (progress) this.progressAt = now;
    this.timeouts = 0;
    this.#probed = false;
    this.#undo(needless, now);
    this.#report(packet.timestampDifference, peerDelay, now);
    this.#detect(now);
    this.#arm(now);
    return true;
  }

  #selective(packet: Acknowledgement, now: Instant): number {
    const { data, sackStart, sackLength } = packet;
    let needless = 0;
    for (let i = 0; i < sackLength; i++) {
      let bits = data[sackStart + i]!;
      for (let seq = packet.ack + 2 + 8 * i; bits !== 0; seq++, bits >>= 1) {
        if ((bits & 1) === 0) continue;
        const sent = this.flight.at(seq & 0xffff);
        if (sent && this.flight.deliver(sent)) needless += this.#delivered(sent, now);
      }
    }
    return needless;
  }

  #delivered(packet: SentPacket, now: Instant): number {
    sample.ackedBytes += packet.length;
    // Karn: a retransmitted packet does not say which transmission was acknowledged (RFC 6298 §3).
    if (packet.transmissions === 1) sample.rtt = Math.max(0.001, now - packet.sentAt);
    this.#rate.onDelivered(packet, now);
    return this.#loss.onDelivered(packet, now) ? 1 : 0;
  }

  /** When every retransmission of a recovery was needless, so was the cut. */
  #undo(needless: number, now: Instant): void {
    if (needless === 0) return;
    this.#undoable -= needless;
    if (this.#undoable > 0) return;
    this.#undoable = 0;
    this.#loss.onSpurious();
    this.controller.onSpurious(now);
  }

  #report(delay: number, peerDelay: number, now: Instant): void {
    if (sample.rtt > 0) this.rtt.sample(sample.rtt, now);
    this.#rate.finish();
    sample.now = now;
    sample.smoothedRtt = this.rtt.smoothed;
    sample.minRtt = this.rtt.min;
    sample.delay = delay;
    sample.peerDelay = peerDelay;
    sample.inFlight = this.flight.inFlight.bytes;
    sample.delivered = this.#rate.delivered;
    sample.priorDelivered = this.#rate.priorDelivered;
    sample.deliveryRate = this.#rate.rate;
    sample.appLimited = this.#rate.appLimited;
    sample.windowLimited = this.#windowLimited;
    this.controller.onAck(sample);
  }

  #detect(now: Instant): void {
    const { inFlight } = this.flight;
    const bytes = inFlight.bytes;
    const recovering = this.flight.lost.count > 0 || this.#recovering();
    const first = this.#loss.detect(now, recovering);
    if (!first) return;
    const roundStart = first.order > this.#recoveryOrder;
    if (roundStart) {
      this.#recoveryOrder = this.#order;
      this.#undoable = 0;
      this.#loss.onRecovery();
    }
    this.controller.onLoss(now, bytes - inFlight.bytes, inFlight.bytes, roundStart);
  }

  #recovering(): boolean {
    const { head } = this.flight.inFlight;
    return head !== undefined && head.order <= this.#recoveryOrder;
  }

  /** Sets the retransmission timer: a tail loss probe first, then RTO with back-off; or the zero-window probe. */
  #arm(now: Instant): void {
    const { rtt } = this;
    if (this.flight.span > 0) this.#rtoAt = now + (this.#mayProbe() ? this.#probeTimeout() : this.#rto());
    else if (this.#blockedByPeer()) this.#rtoAt = now + Math.min(MAX_PERSIST, rtt.backedOff(this.timeouts));
    else this.#rtoAt = Number.POSITIVE_INFINITY;
  }

  #rto(): Millis {
    return this.rtt.backedOff(this.timeouts);
  }

  #mayProbe(): boolean {
    return !this.#probed && this.timeouts === 0 && this.rtt.smoothed > 0;
  }

  #probeTimeout(): Millis {
    const { smoothed, variation } = this.rtt;
    const timeout = Math.max(2 * smoothed, smoothed + 4 * variation, MIN_PROBE_TIMEOUT);
    return Math.min(timeout, this.rtt.rto);
  }

  #blockedByPeer(): boolean {
    return this.flight.span === 0 && this.buffer.unsent > 0 && this.peerWindow === 0;
  }

  /** When `expire` has something to do, or a paced packet may leave. */
  deadline(now: Instant): Instant {
    if (this.#rtoAt === Number.POSITIVE_INFINITY && this.#blockedByPeer()) this.#arm(now);
    let at = Math.min(this.#rtoAt, this.#loss.deadline);
    if (this.#pacedUntil > now && this.#pacedUntil - PACING_SLACK < at && this.#hasMore()) {
      at = this.#pacedUntil - PACING_SLACK;
    }
    return at;
  }

  #hasMore(): boolean {
    return this.buffer.unsent > 0 || this.flight.lost.count > 0 || this.#fin === "wanted";
  }

  /** Does what is due. Afterwards `poll` may have something. */
  expire(now: Instant): void {
    if (this.#loss.deadline <= now) this.#detect(now);
    if (this.#rtoAt > now) return;
    this.#probeDue = true;
    if (this.flight.span === 0) {
      this.timeouts++;
      this.#rtoAt = now + Math.min(MAX_PERSIST, this.rtt.backedOff(this.timeouts));
      return;
    }
    if (this.#mayProbe()) {
      this.#probed = true;
      this.#rtoAt = now + this.#rto();
      return;
    }
    this.#timeOut(now);
  }

  #timeOut(now: Instant): void {
    const { inFlight } = this.flight;
    this.timeouts++;
    this.totalTimeouts++;
    this.#rtoAt = now + this.#rto();
    this.#undoable = 0;
    while (inFlight.head) this.flight.lose(inFlight.head);
    this.#recoveryOrder = this.#order;
    // A peer whose window is closed drops what we probe with: that says nothing about the path.
    if (this.peerWindow > 0) this.controller.onTimeout(now);
  }

  /** Forgets everything; nothing will be sent again. */
  clear(): void {
    this.buffer.clear();
    this.flight.clear();
    this.#fin = "none";
    this.#rtoAt = Number.POSITIVE_INFINITY;
    this.#loss.deadline = Number.POSITIVE_INFINITY;
    this.#probeDue = false;
  }
}
