import { serialDistance } from "../base/serial.ts";
import type { Instant, Millis } from "../contract/clock.ts";
import { Fragments } from "./fragments.ts";
import type { ReceivedPacket } from "./options.ts";
import type { Packet } from "./packet.ts";
import { FIN } from "./packet.ts";
import { ReadQueue } from "./read-queue.ts";
import { ReorderBuffer } from "./reorder-buffer.ts";
import { firstWindow, WindowTuning } from "./window-tuning.ts";

/** Packets held ahead of a missing one. Twice what the longest selective ack can tell, a power of two (chosen). */
const MAX_REORDER = 4096;
/** The longest selective ack: the length is one byte and a multiple of 4 (BEP 29). */
const MAX_SACK = 252;

/** What a packet costs in memory beside its bytes, so that many tiny ones do not cost more than they seem (chosen: in Node). */
const PACKET_COST = 256;

/** Why a packet with data was not taken. */
export type ReceiveDrop = "duplicate" | "beyond-window" | "after-end";

/** The receiving half of a connection: puts packets in order, holds what is unread, and says how much more may come. */
export class Receiver {
  /** The next sequence number expected. */
  next = 0;
  /** Unread bytes the user may cause before the window closes. */
  capacity: number;
  /** Bytes taken in order. */
  bytesRead = 0;
  readonly #queue = new ReadQueue();
  readonly #reorder = new ReorderBuffer();
  /** Sequence number of the peer's FIN, once one came. */
  #fin: number | undefined;
  #highest = 0;
  #fragments: Fragments | undefined;
  readonly #tuning: WindowTuning;

  /** `share`: bytes that may wait in the socket's buffer. */
  constructor(share: number) {
    this.#tuning = new WindowTuning(share);
    this.capacity = firstWindow(share);
  }

  /** A packet with data came; `rtt` is the present round trip. The window may grow. */
  tune(rtt: Millis, now: Instant): void {
    this.capacity = Math.max(this.capacity, this.#tuning.capacity(this.bytesRead - this.unread, rtt, now));
  }

  /** The peer's first sequence number is known. */
  start(next: number): void {
    this.next = this.#highest = next & 0xffff;
  }

  /** Unread bytes in order. */
  get unread(): number {
    return this.#queue.bytes;
  }

  /** What the unread bytes cost. */
  get #held(): number {
    return this.#queue.bytes + PACKET_COST * this.#queue.count;
  }

  /** The peer's FIN and all before it have come. */
  get ended(): boolean {
    return this.#fin !== undefined && this.next === ((this.#fin + 1) & 0xffff);
  }

  /** `ended`, and nothing is left to read. */
  get exhausted(): boolean {
    return this.ended && this.#queue.empty;
  }

  /** Whether packets are missing before others that came. */
  get gapped(): boolean {
    return this.#reorder.count > 0;
  }

  /** Bytes the peer may have outstanding; 0 rather than less than `packet` bytes, which would not fit one packet. */
  window(packet: number): number {
    const room = this.capacity - this.#held;
    return room < packet && room < this.capacity / 2 ? 0 : Math.max(0, room);
  }

  /** Takes a DATA or FIN packet, or a fragment of one. Returns why not, if it does not. */
  receive(packet: Packet, payload: Uint8Array): ReceiveDrop | undefined {
    const distance = serialDistance(packet.seq, this.next);
    if (distance < 0) return "duplicate";
    const drop = this.#refusal(packet, distance, payload.length);
    if (drop) return drop;
    if (packet.fragmentStart > 0) {
      this.#fragments ??= new Fragments();
      const whole = this.#fragments.add(packet);
      if (!whole) return undefined;
      payload = whole;
    } else this.#fragments?.delete(packet.seq);
    if (packet.type === FIN) this.#fin = packet.seq;
    if (distance === 0) this.#deliver(payload, packet.meta());
    else {
      this.#reorder.put(packet.seq, distance, payload, packet.meta());
      if (serialDistance(packet.seq, this.#highest) > 0) this.#highest = packet.seq;
    }
    return undefined;
  }

  #refusal(packet: Packet, distance: number, length: number): ReceiveDrop | undefined {
    if (this.#fin !== undefined && serialDistance(packet.seq, this.#fin) >= (packet.type === FIN ? 1 : 0)) {
      return "after-end";
    }
    if (packet.type === FIN && this.#reorder.count > 0 && serialDistance(this.#highest, packet.seq) >= 0) {
      return "after-end";
    }
    if (distance >= MAX_REORDER) return "beyond-window";
    if (distance > 0 && this.#reorder.has(packet.seq, distance)) return "duplicate";
    if (length === 0) return undefined;
    // One packet above the capacity is taken: it is how a closed window is probed. What is out of order may be as much again,
    // for libutp does not count what was acknowledged selectively, and never keeps out the packet it waits for.
    const full =
      distance === 0
        ? this.#held >= this.capacity
        : this.#held + this.#reorder.bytes + PACKET_COST * this.#reorder.count >= 2 * this.capacity;
    if (full) return "beyond-window";
    return undefined;
  }

  #deliver(payload: Uint8Array, meta: Uint8Array | undefined): void {
    this.#accept(payload, meta);
    while (this.#reorder.count > 0) {
      const { next } = this;
      const nextMeta = this.#reorder.meta(next);
      const following = this.#reorder.take(next);
      if (!following) break;
      this.#accept(following, nextMeta);
    }
  }

  #accept(payload: Uint8Array, meta: Uint8Array | undefined): void {
    this.next = (this.next + 1) & 0xffff;
    if (payload.length === 0) return;
    this.bytesRead += payload.length;
    this.#queue.push(payload, meta);
  }

  /** The bytes of a selective ack, a multiple of 4; 0 when nothing is missing. */
  get sackLength(): number {
    if (this.#reorder.count === 0) return 0;
    // Bit 0 stands for `next + 1`.
    const bits = serialDistance(this.#highest, this.next);
    return Math.min(MAX_SACK, Math.ceil(bits / 32) * 4);
  }

  /** Writes a selective ack of `length` bytes at `at`. */
  writeSack(out: Uint8Array, at: number, length: number): void {
    let distance = 1;
    for (let i = 0; i < length; i++) {
      let byte = 0;
      for (let bit = 1; bit < 256; bit <<= 1, distance++) {
        if (this.#reorder.has((this.next + distance) & 0xffff, distance)) byte |= bit;
      }
      out[at + i] = byte;
    }
  }

  read(limit: number): Uint8Array | undefined {
    return this.#queue.read(limit);
  }

  readPacket(): ReceivedPacket | undefined {
    return this.#queue.readPacket();
  }

  /** Bytes that came before the connection was made: the data of a SYN. */
  prepend(data: Uint8Array, meta: Uint8Array | undefined): void {
    if (data.length === 0) return;
    this.bytesRead += data.length;
    this.#queue.push(data, meta);
  }

  /** Forgets what is unread and what is out of order. */
  clear(): void {
    this.#queue.clear();
    this.#reorder.clear();
    this.#fragments = undefined;
  }
}
