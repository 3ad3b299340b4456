import { serialDistance } from "../base/serial.ts";
import type { Instant } from "../contract/clock.ts";
import type { Chunk, Segment } from "./send-buffer.ts";

/** Where a sent packet stands. */
export type PacketFate = "free" | "in-flight" | "lost" | "sacked";

/** A packet that was given a sequence number and is not acknowledged cumulatively. Objects are used again. */
export class SentPacket implements Segment {
  seq = 0;
  fin = false;
  chunk: Chunk | undefined;
  offset = 0;
  length = 0;
  fate: PacketFate = "free";
  /** Counts every transmission of the connection; a retransmission gets a new place. */
  order = 0;
  sentAt: Instant = 0;
  transmissions = 0;
  /** What the flight had delivered when this left, for rate samples. */
  delivered = 0;
  deliveredAt: Instant = 0;
  firstSentAt: Instant = 0;
  appLimited = false;
  /** Neighbours in the list the packet is in. */
  before: SentPacket | undefined;
  after: SentPacket | undefined;
}

/** A chain of packets with the sum of their bytes. A packet is in at most one. */
export class PacketList {
  head: SentPacket | undefined;
  tail: SentPacket | undefined;
  bytes = 0;
  count = 0;

  append(packet: SentPacket): void {
    packet.before = this.tail;
    packet.after = undefined;
    if (this.tail) this.tail.after = packet;
    else this.head = packet;
    this.tail = packet;
    this.bytes += packet.length;
    this.count++;
  }

  remove(packet: SentPacket): void {
    if (packet.before) packet.before.after = packet.after;
    else this.head = packet.after;
    if (packet.after) packet.after.before = packet.before;
    else this.tail = packet.before;
    packet.before = packet.after = undefined;
    this.bytes -= packet.length;
    this.count--;
  }

  clear(): void {
    this.head = this.tail = undefined;
    this.bytes = this.count = 0;
  }
}

/** Enough for requests and answers; it doubles (chosen: an idle connection is to be small). */
const MIN_RING = 4;

/**
 * The packets between the first unacknowledged sequence number and the next one to be given, in a ring indexed by
 * sequence number. Those in flight and those found lost are chained in the order they were sent.
 */
export class Flight {
  /** The first sequence number that is not acknowledged. */
  una: number;
  /** The next sequence number to give. */
  next: number;
  /** Bytes from `una` to `next`, whatever their fate: what the peer's window bounds. */
  outstanding = 0;
  /** Packets acknowledged selectively and not yet cumulatively. */
  sacked = 0;
  readonly inFlight = new PacketList();
  readonly lost = new PacketList();
  #ring: (SentPacket | undefined)[] = [];

  constructor(first: number) {
    this.una = this.next = first & 0xffff;
  }

  /** Sequence numbers given and not acknowledged. */
  get span(): number {
    return (this.next - this.una) & 0xffff;
  }

  /** The packet with that number, if it is outstanding. */
  at(seq: number): SentPacket | undefined {
    const distance = serialDistance(seq, this.una);
    if (distance < 0 || distance >= this.span) return undefined;
    return this.#ring[seq & (this.#ring.length - 1)];
  }

  /** Gives the next sequence number. The caller fills the segment and calls `opened`. */
  open(): SentPacket {
    if (this.span >= this.#ring.length) this.#grow();
    const at = this.next & (this.#ring.length - 1);
    this.#ring[at] ??= new SentPacket();
    const packet = this.#ring[at];
    packet.seq = this.next;
    packet.fin = false;
    packet.transmissions = 0;
    this.next = (this.next + 1) & 0xffff;
    return packet;
  }

  /** The packet that `open` gave has its segment. */
  opened(packet: SentPacket): void {
    this.outstanding += packet.length;
    packet.fate = "in-flight";
    this.inFlight.append(packet);
  }

  /** Takes a packet out of the list it is in; it was delivered. False if that was known. */
  deliver(packet: SentPacket): boolean {
    if (packet.fate === "sacked") return false;
    this.#listOf(packet).remove(packet);
    packet.fate = "sacked";
    this.sacked++;
    return true;
  }

  /** Removes the first packet, which `deliver` has seen. */
  shift(packet: SentPacket): void {
    this.outstanding -= packet.length;
    this.sacked--;
    packet.fate = "free";
    packet.chunk = undefined;
    this.una = (this.una + 1) & 0xffff;
  }

  lose(packet: SentPacket): void {
    this.inFlight.remove(packet);
    packet.fate = "lost";
    this.lost.append(packet);
  }

  /** A packet leaves again: it goes to the end of those in flight. */
  resend(packet: SentPacket): void {
    this.#listOf(packet).remove(packet);
    packet.fate = "in-flight";
    this.inFlight.append(packet);
  }

  /** Gives back memory if nothing is outstanding. */
  trim(): void {
    if (this.span === 0) this.#ring = [];
  }

  clear(): void {
    this.#ring = [];
    this.inFlight.clear();
    this.lost.clear();
    this.una = this.next;
    this.outstanding = this.sacked = 0;
  }

  #listOf(packet: SentPacket): PacketList {
    return packet.fate === "lost" ? this.lost : this.inFlight;
  }

  #grow(): void {
    const old = this.#ring;
    const size = Math.max(MIN_RING, old.length * 2);
    const ring = new Array<SentPacket | undefined>(size).fill(undefined);
    for (let i = 0; i < old.length; i++) {
      const seq = (this.una + i) & 0xffff;
      ring[seq & (size - 1)] = old[seq & (old.length - 1)];
    }
    this.#ring = ring;
  }
}
