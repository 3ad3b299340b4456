import { serialDistance } from "../base/serial.ts";
import type { Instant, Millis } from "../contract/clock.ts";
import { AckReport } from "./ack-report.ts";
import type { CongestionController } from "./congestion.ts";
import { makeController } from "./controllers.ts";
import { DeliveryRate } from "./delivery-rate.ts";
import { Flight, type SentPacket } from "./flight.ts";
import { Pacer } from "./pacer.ts";
import { EXTENSION_HEADER_SIZE } from "./packet.ts";
import { Recovery } from "./recovery.ts";
import { RetransmissionTimer } from "./retransmission-timer.ts";
import { RoundTripTime } from "./rtt.ts";
import { SendBuffer } from "./send-buffer.ts";

/** Packets of Ethernet's size are never cut down to the peer's window. */
const USUAL_PAYLOAD = 1452;
/** Packets that fit the peer's window, so that acknowledgements keep them flowing (chosen). */
const LEAST_IN_WINDOW = 8;

/** What a sender needs to know. */
export interface SenderOptions {
  /** The first sequence number of DATA. */
  readonly first: number;
  readonly minRto: Millis;
  /** How long a silent peer is waited for. */
  readonly timeout: Millis;
  readonly noDelay: boolean;
  readonly boundaries: boolean;
  readonly maxInFlight: number;
  readonly maxInFlightExtended: number;
  readonly controller: CongestionController;
  readonly payload: number;
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

/** One sample serves every connection: controllers copy what they keep. */
const sample = new AckReport();

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
  retransmitted = 0;
  timeouts = 0;
  /** When `una` last moved, or the flight began. */
  progressAt: Instant = 0;
  /** Sequence numbers that may be given and unacknowledged. */
  #maxInFlight: number;
  readonly #maxInFlightExtended: number;
  readonly #rate = new DeliveryRate();
  readonly #recovery: Recovery;
  #fin: "none" | "wanted" | "sent" = "none";
  #order = 0;
  readonly #timer: RetransmissionTimer;
  /** A packet may leave whatever the window says. */
  #probeDue = false;
  #windowLimited = false;
  readonly #pacer = new Pacer();
  /** What the path carries; `payload` may be less because of the peer's window. */
  #pathPayload: number;
  /** Of the acknowledgement at hand, the order of the packet that left last. */
  #latestAcked = -1;

  constructor(options: SenderOptions) {
    this.rtt = new RoundTripTime(options.minRto, options.timeout);
    this.#timer = new RetransmissionTimer(this.rtt);
    this.buffer = new SendBuffer(options.boundaries);
    this.flight = new Flight(options.first);
    this.#recovery = new Recovery(this.flight, this.rtt);
    this.controller = options.controller;
    this.noDelay = options.noDelay;
    this.#maxInFlight = options.maxInFlight;
    this.#maxInFlightExtended = options.maxInFlightExtended;
    this.payload = this.#pathPayload = options.payload;
  }

  /** The peer's window is known, and whether it knows our extensions: it then puts more packets in order. */
  meetPeer(window: number, extended: boolean): void {
    this.peerWindow = window;
    if (extended) this.#maxInFlight = this.#maxInFlightExtended;
    this.setPayload(this.payload);
  }

  /** Switches the congestion controller by name; unknown names are ignored. */
  setCongestion(name: string): void {
    if (name === this.controller.name) return;
    this.controller = makeController(name, { payload: this.payload }) ?? this.controller;
  }

  /** Payload of new packets from now on, as far as the peer's window allows. */
  setPayload(payload: number): void {
    this.#pathPayload = payload;
    this.payload = Math.min(payload, Math.max(USUAL_PAYLOAD, Math.floor(this.peerWindow / LEAST_IN_WINDOW)));
    this.controller.onPayload(this.payload);
  }

  get consecutiveTimeouts(): number {
    return this.#timer.timeouts;
  }

  /** Bytes written and not acknowledged. */
  get unacknowledged(): number {
    return this.buffer.unsent + this.flight.outstanding;
  }

  /** The peer has acknowledged our FIN. */
  get finished(): boolean {
    return this.#fin === "sent" && this.flight.span === 0;
  }

  get finSent(): boolean {
    return this.#fin === "sent";
  }

  /** Our end was asked for. */
  get ending(): boolean {
    return this.#fin !== "none";
  }

  /** Sends FIN after everything written. */
  end(): void {
    if (this.#fin === "none") this.#fin = "wanted";
  }

  /**
   * The next packet to send, already counted as sent; undefined when nothing may leave now. `limit`: the most bytes of
   * payload and metadata it may have; `reserve`: how much less than usual a new one may have.
   */
  poll(now: Instant, limit: number, reserve: number): SentPacket | undefined {
    this.#pacer.waiting = !this.#probeDue && this.#pacer.holds(now) && this.#hasMore();
    if (this.#pacer.waiting) return undefined;
    const idle = this.flight.inFlight.count === 0;
    const packet =
      this.#retransmission(limit) ??
      this.#fresh(now, Math.min(limit, this.payload - reserve)) ??
      this.#tailProbe(limit);
    if (!packet) return undefined;
    this.#probeDue = false;
    packet.order = ++this.#order;
    packet.sentAt = now;
    if (++packet.transmissions > 1) this.retransmitted++;
    this.#rate.onSent(packet, idle, now);
    this.controller.onSent(now, packet.length, this.flight.inFlight.bytes);
    this.#pacer.sent(packet.length, this.controller.pacingRate(), now);
    if (!this.#timer.running) this.#arm(now);
    return packet;
  }

  #retransmission(limit: number): SentPacket | undefined {
    const packet = this.flight.lost.head;
    if (!packet || packet.length > limit) return undefined;
    const { inFlight } = this.flight;
    const fits = inFlight.bytes + packet.length <= this.controller.window() || inFlight.count === 0;
    if (!fits && !this.#probeDue) return undefined;
    this.flight.resend(packet);
    this.#recovery.onRetransmission();
    return packet;
  }

  /** A packet of bytes that were never sent, or the FIN after them. */
  #fresh(now: Instant, limit: number): SentPacket | undefined {
    const { flight, buffer } = this;
    if (flight.lost.count > 0 || flight.span >= this.#maxInFlight) return undefined;
    const length = this.#freshLength(limit);
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

  #freshLength(limit: number): number {
    const { flight, buffer } = this;
    if (buffer.unsent === 0) {
      if (flight.inFlight.bytes < this.controller.window()) this.#rate.onAppLimited(flight.inFlight.bytes);
      this.#windowLimited = false;
      return 0;
    }
    const { meta } = buffer;
    const overhead = meta ? meta.length + EXTENSION_HEADER_SIZE : 0;
    const full = limit - overhead;
    if (full <= 0) return 0;
    const length = buffer.available(full);
    if (length < full && this.#waitsForMore(length)) return 0;
    return this.#windowed(length);
  }

  /** Nagle (RFC 9293 §3.7.4): a small packet waits while another is unacknowledged. */
  #waitsForMore(length: number): boolean {
    return !this.noDelay && this.#fin === "none" && this.flight.span > 0 && this.buffer.mayGrow(length);
  }

  /** How much of `length` the windows allow: all, nothing, or less when the peer's window is small and empty. */
  #windowed(length: number): number {
    const { flight } = this;
    const { bytes, count } = flight.inFlight;
    if (bytes + length > this.controller.window() && count > 0 && !this.#probeDue) {
      this.#windowLimited = true;
      return 0;
    }
    const room = this.peerWindow - flight.outstanding;
    if (length <= room) return length;
    this.#windowLimited = false;
    this.#rate.onAppLimited(bytes);
    if (flight.span > 0) return 0;
    return room === 0 && this.#probeDue ? length : room;
  }

  /** The last packet again, when nothing else can be used to ask for an acknowledgement (RFC 8985 §7). */
  #tailProbe(limit: number): SentPacket | undefined {
    if (!this.#probeDue) return undefined;
    this.#probeDue = false;
    const packet = this.flight.inFlight.tail;
    if (!packet || packet.length > limit) return undefined;
    this.flight.resend(packet);
    return packet;
  }

  /**
   * Takes a packet's acknowledgement, which is known to be of something sent. Returns whether it was news.
   */
  acknowledge(packet: Acknowledgement, peerDelay: number, now: Instant): boolean {
    const { flight } = this;
    sample.ackedBytes = 0;
    sample.rtt = 0;
    this.#latestAcked = -1;
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
    const progress = una !== flight.una;
    this.#setPeerWindow(packet.window, now);
    if (!progress && sacked === flight.sacked) return false;
    if (progress) this.progressAt = now;
    this.#timer.reset();
    this.#recovery.undo(needless, now, this.controller);
    this.#report(packet.timestampDifference, peerDelay, now);
    this.#recovery.detect(now, this.#order, this.controller);
    this.#arm(now);
    return true;
  }

  #setPeerWindow(window: number, now: Instant): void {
    const opened = this.peerWindow === 0 && window > 0;
    this.peerWindow = window;
    if (this.payload < this.#pathPayload && window >= 2 * LEAST_IN_WINDOW * this.payload) {
      this.setPayload(this.#pathPayload);
    }
    if (!opened) return;
    this.progressAt = now;
    // What we probed the closed window with was probably dropped: ask soon, not after the back-off.
    this.#timer.reset();
    this.#arm(now);
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
    if (packet.order > this.#latestAcked) {
      this.#latestAcked = packet.order;
      // Karn: a retransmitted packet does not say which transmission was acknowledged (RFC 6298 §3). Those that left before
      // it say nothing either: their own acknowledgement may have been lost.
      sample.rtt = packet.transmissions === 1 ? Math.max(0.001, now - packet.sentAt) : 0;
    }
    this.#rate.onDelivered(packet, now);
    return this.#recovery.onDelivered(packet, now);
  }

  #report(delay: number, peerDelay: number, now: Instant): void {
    if (sample.rtt > 0) this.rtt.sample(sample.rtt, now);
    this.#rate.finish(this.rtt.min);
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

  #arm(now: Instant): void {
    if (this.flight.span > 0 || this.#blockedByPeer()) this.#timer.start(now, this.peerWindow === 0);
    else this.#timer.stop();
  }

  #blockedByPeer(): boolean {
    return this.flight.span === 0 && this.buffer.unsent > 0 && this.peerWindow === 0;
  }

  /** When `expire` has something to do, or a paced packet may leave. */
  deadline(now: Instant): Instant {
    if (!this.#timer.running && this.#blockedByPeer()) this.#arm(now);
    return Math.min(this.#timer.at, this.#recovery.deadline, this.#pacer.deadline);
  }

  #hasMore(): boolean {
    return this.buffer.unsent > 0 || this.flight.lost.count > 0 || this.#fin === "wanted";
  }

  /** Does what is due. Afterwards `poll` may have something. */
  expire(now: Instant): void {
    if (this.#recovery.deadline <= now) this.#recovery.detect(now, this.#order, this.controller);
    if (this.#timer.at > now) return;
    this.#probeDue = true;
    if (!this.#timer.fire(now, this.peerWindow === 0) && this.flight.span > 0) this.#timeOut(now);
  }

  #timeOut(now: Instant): void {
    this.timeouts++;
    this.#recovery.onTimeout(this.#order);
    // A peer whose window is closed drops what we probe with: that says nothing about the path.
    if (this.peerWindow > 0) this.controller.onTimeout(now);
  }

  /** Forgets everything; nothing will be sent again. */
  clear(): void {
    this.buffer.clear();
    this.flight.clear();
    this.#fin = "none";
    this.#timer.stop();
    this.#recovery.stop();
    this.#probeDue = false;
  }
}
