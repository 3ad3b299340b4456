import { type SeededRandom, seededRandom } from "../../src/base/random.ts";
import type { Instant, Millis } from "../../src/contract/clock.ts";
import { Timeline } from "./timeline.ts";

/** Loss in bursts (Gilbert-Elliott): a chain of two states that moves once a packet. */
export interface BurstLoss {
  /** Probability to fall from the good state into the bad one. */
  readonly enter: number;
  /** Probability to come back. */
  readonly leave: number;
  /** Loss in the good state, 0 if absent. */
  readonly good?: number;
  /** Loss in the bad state, 1 if absent. */
  readonly bad?: number;
}

/** What a one-way link does to packets. Absent means perfect: no delay, no loss, no limit. */
export interface LinkOptions {
  readonly latency?: Millis;
  /** Up to so much more latency, uniform, without overtaking. */
  readonly jitter?: Millis;
  /** Probability of loss, or loss in bursts. What is lost has passed the queue. */
  readonly loss?: number | BurstLoss;
  /** Bits per second. */
  readonly rate?: number;
  /** Bytes that may wait for the rate; what comes on top is dropped. */
  readonly queueBytes?: number;
  /** The same bound as a waiting time. */
  readonly queueMillis?: Millis;
  /** The largest packet in bytes; larger ones are dropped. */
  readonly mtu?: number;
  /** Probability that a packet is held back by `reorderDelay`, so that later ones overtake it. */
  readonly reorder?: number;
  /** 10 ms if absent. */
  readonly reorderDelay?: Millis;
  /** Probability that a packet arrives twice. */
  readonly duplicate?: number;
  /** Probability that one bit arrives flipped. */
  readonly corrupt?: number;
  /** The cable is cut. */
  readonly cut?: boolean;
}

/** Why a link dropped a packet. */
export type LinkDrop = "cut" | "mtu" | "queue" | "loss";

/** What has happened on a link. */
export interface LinkCounters {
  /** Packets offered. */
  sent: number;
  delivered: number;
  deliveredBytes: number;
  dropped: Record<LinkDrop, number>;
  reordered: number;
  duplicated: number;
  corrupted: number;
  /** The longest wait in the queue. */
  maxQueueMillis: Millis;
}

interface InFlight<Packet> {
  readonly packet: Packet;
  readonly size: number;
}

/** One direction of a cable, without I/O: packets go in with a time and come out with a time. */
export class Link<Packet extends { readonly data: Uint8Array }> {
  readonly counters: LinkCounters = {
    sent: 0,
    delivered: 0,
    deliveredBytes: 0,
    dropped: { cut: 0, mtu: 0, queue: 0, loss: 0 },
    reordered: 0,
    duplicated: 0,
    corrupted: 0,
    maxQueueMillis: 0,
  };
  readonly #random: SeededRandom;
  readonly #inFlight = new Timeline<InFlight<Packet>>();
  #options: LinkOptions;
  /** When the last bit that was accepted has left the queue. */
  #busyUntil: Instant = Number.NEGATIVE_INFINITY;
  #lastArrival: Instant = Number.NEGATIVE_INFINITY;
  #inBurst = false;

  constructor(options: LinkOptions, seed: number) {
    this.#options = options;
    this.#random = seededRandom(seed);
  }

  get options(): LinkOptions {
    return this.#options;
  }

  /** Changes the link from now on; what is in flight arrives as it would have. */
  change(options: LinkOptions): void {
    this.#options = { ...this.#options, ...options };
  }

  /** Takes a packet of `size` bytes on the wire and keeps its data. Says why if it drops it. */
  send(packet: Packet, size: number, now: Instant): LinkDrop | undefined {
    this.counters.sent++;
    const { mtu, cut } = this.#options;
    if (cut) return this.#drop("cut");
    if (mtu !== undefined && size > mtu) return this.#drop("mtu");
    const departure = this.#enqueue(size, now);
    if (departure === undefined) return this.#drop("queue");
    if (this.#isLost()) return this.#drop("loss");
    const arriving = this.#corrupted(packet);
    const at = this.#arrival(departure);
    this.#inFlight.add(at, { packet: arriving, size });
    if (this.#happens(this.#options.duplicate)) {
      this.counters.duplicated++;
      this.#inFlight.add(at, { packet: { ...arriving, data: new Uint8Array(arriving.data) }, size });
    }
    return undefined;
  }

  /** When the next packet arrives. */
  next(): Instant | undefined {
    return this.#inFlight.peek()?.at;
  }

  /** Takes the next packet that has arrived by `now`. */
  poll(now: Instant): Packet | undefined {
    const next = this.next();
    if (next === undefined || next > now) return undefined;
    const { packet, size } = this.#inFlight.take()!.value;
    this.counters.delivered++;
    this.counters.deliveredBytes += size;
    return packet;
  }

  #drop(reason: LinkDrop): LinkDrop {
    this.counters.dropped[reason]++;
    return reason;
  }

  /** The instant the last bit leaves, or undefined if the queue is full. */
  #enqueue(size: number, now: Instant): Instant | undefined {
    const { rate, queueBytes = Infinity, queueMillis = Infinity } = this.#options;
    if (rate === undefined) return Math.max(now, this.#busyUntil);
    const wait = Math.max(0, this.#busyUntil - now);
    const waitingBytes = (wait * rate) / 8000;
    // An idle link takes any packet, however small the queue.
    if (wait > 0 && (wait > queueMillis || waitingBytes + size > queueBytes)) return undefined;
    if (wait > this.counters.maxQueueMillis) this.counters.maxQueueMillis = wait;
    this.#busyUntil = now + wait + (size * 8000) / rate;
    return this.#busyUntil;
  }

  #arrival(departure: Instant): Instant {
    const { latency = 0, jitter = 0, reorder, reorderDelay = 10 } = this.#options;
    const at = departure + latency + (jitter > 0 ? this.#random.next() * jitter : 0);
    if (this.#happens(reorder)) {
      this.counters.reordered++;
      return at + reorderDelay;
    }
    this.#lastArrival = Math.max(at, this.#lastArrival);
    return this.#lastArrival;
  }

  #isLost(): boolean {
    const { loss } = this.#options;
    if (loss === undefined || typeof loss === "number") return this.#happens(loss);
    this.#inBurst = this.#inBurst ? !this.#random.chance(loss.leave) : this.#random.chance(loss.enter);
    return this.#random.chance(this.#inBurst ? (loss.bad ?? 1) : (loss.good ?? 0));
  }

  #corrupted(packet: Packet): Packet {
    if (packet.data.length === 0 || !this.#happens(this.#options.corrupt)) return packet;
    this.counters.corrupted++;
    const data = new Uint8Array(packet.data);
    const bit = this.#random.integer(data.length * 8);
    data[bit >> 3]! ^= 1 << (bit & 7);
    return { ...packet, data };
  }

  #happens(probability: number | undefined): boolean {
    return probability !== undefined && probability > 0 && this.#random.chance(probability);
  }
}
