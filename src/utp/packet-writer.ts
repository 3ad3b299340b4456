import type { Instant } from "../contract/clock.ts";
import type { Halves } from "./connection-parts.ts";
import type { Dial } from "./dial.ts";
import type { SentPacket } from "./flight.ts";
import {
  DATA,
  EXTENSION_HEADER_SIZE,
  FIN,
  FRAGMENT,
  FRAGMENT_SIZE,
  HEADER_SIZE,
  METADATA,
  PATH_PROBE_SIZE,
  SELECTIVE_ACK,
  STATE,
  SYN,
  write16,
  writeExtension,
  writeHeader,
} from "./packet.ts";
import type { Receiver } from "./receiver.ts";
import { copySegment } from "./send-buffer.ts";
import type { Sender } from "./sender.ts";
import { HANDSHAKE_EXTENSION, type Validation } from "./validation.ts";

/** A window below this is told as none, since a peer may wait for room for a whole packet (chosen: our first size). */
const LEAST_WINDOW = 1200;

/** What a fragment has more than another packet. */
export const FRAGMENT_OVERHEAD = EXTENSION_HEADER_SIZE + FRAGMENT_SIZE;

/** The monotonic clock as packets carry it: µs modulo 2^32. */
export function micros(now: Instant): number {
  return (now * 1000) >>> 0;
}

/** Writes a connection's packets into the endpoint's scratch buffer; every method returns the size. */
export class PacketWriter {
  /** One-way delay of the last packet that came, by two unrelated clocks; every packet reports it. */
  peerDelay = 0;
  /** How far the peer knows it may send, as a count of the stream's bytes. */
  toldEdge = 0;
  readonly #sendId: number;
  /** Sequence number of our SYN, or of the STATE that accepted. */
  readonly #first: number;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #validation: Validation;

  constructor(sendId: number, first: number, { sender, receiver, validation }: Halves) {
    this.#sendId = sendId;
    this.#first = first;
    this.#sender = sender;
    this.#receiver = receiver;
    this.#validation = validation;
  }

  /** How far the peer may send, as a count of the stream's bytes. */
  get edge(): number {
    return this.#receiver.bytesRead + this.#receiver.window(LEAST_WINDOW);
  }

  syn(out: Uint8Array, dial: Dial, receiveId: number, now: Instant): number {
    writeHeader(out, SYN, receiveId, micros(now), 0, this.#receiver.window(LEAST_WINDOW), this.#first, 0);
    return dial.write(out);
  }

  /** An acknowledgement, with the selective one where packets are missing and `room` bytes suffice. */
  state(out: Uint8Array, room: number, now: Instant): number {
    const seq = this.#validation.validated ? this.#sender.flight.next : this.#first;
    const link = this.#header(out, STATE, seq, now);
    const at = link === 1 ? HEADER_SIZE : HEADER_SIZE + HANDSHAKE_EXTENSION;
    const length = this.#receiver.sackLength;
    if (length === 0 || at + EXTENSION_HEADER_SIZE + length > room) return at;
    const body = writeExtension(out, link, at, SELECTIVE_ACK, length);
    this.#receiver.writeSack(out, body, length);
    return body + length;
  }

  /** A DATA or FIN packet. */
  data(out: Uint8Array, packet: SentPacket, now: Instant): number {
    const link = this.#header(out, packet.fin ? FIN : DATA, packet.seq, now);
    const at = link === 1 ? HEADER_SIZE : HEADER_SIZE + HANDSHAKE_EXTENSION;
    return this.#payload(out, packet, link, at, 0, packet.length);
  }

  /** `length` bytes of a packet from `from` on, to be put together by a peer that knows our extensions. */
  fragment(out: Uint8Array, packet: SentPacket, from: number, length: number, now: Instant): number {
    let link = this.#header(out, DATA, packet.seq, now);
    let at = link === 1 ? HEADER_SIZE : HEADER_SIZE + HANDSHAKE_EXTENSION;
    const body = writeExtension(out, link, at, FRAGMENT, FRAGMENT_SIZE);
    write16(out, body, from);
    write16(out, body + 2, packet.length);
    link = at;
    at = body + FRAGMENT_SIZE;
    return this.#payload(out, packet, link, at, from, length);
  }

  #payload(
    out: Uint8Array,
    packet: SentPacket,
    link: number,
    at: number,
    from: number,
    length: number,
  ): number {
    const meta = packet.chunk?.meta;
    if (meta) {
      const body = writeExtension(out, link, at, METADATA, meta.length);
      out.set(meta, body);
      at = body + meta.length;
    }
    copySegment(packet, from, length, out, at);
    return at + length;
  }

  /** A path probe or its answer: an acknowledgement with the size in question, padded to `pad` bytes. */
  pathProbe(out: Uint8Array, type: number, size: number, pad: number, now: Instant): number {
    const link = this.#header(out, STATE, this.#sender.flight.next, now);
    const at = link === 1 ? HEADER_SIZE : HEADER_SIZE + HANDSHAKE_EXTENSION;
    const body = writeExtension(out, link, at, type, PATH_PROBE_SIZE);
    write16(out, body, size);
    const end = body + PATH_PROBE_SIZE;
    if (pad <= end) return end;
    out.fill(0, end, pad);
    return pad;
  }

  /** DATA that was acknowledged long ago and has no payload: any implementation answers it. */
  keepAlive(out: Uint8Array, now: Instant): number {
    const link = this.#header(out, DATA, (this.#sender.flight.una - 1) & 0xffff, now);
    return link === 1 ? HEADER_SIZE : HEADER_SIZE + HANDSHAKE_EXTENSION;
  }

  /** Writes the header and the handshake extension, if it is needed; returns where the next extension is linked. */
  #header(out: Uint8Array, type: number, seq: number, now: Instant): number {
    const { next, bytesRead } = this.#receiver;
    const window = this.#receiver.window(LEAST_WINDOW);
    this.toldEdge = bytesRead + window;
    writeHeader(out, type, this.#sendId, micros(now), this.peerDelay, window, seq, (next - 1) & 0xffff);
    if (this.#validation.extensionSize === 0) return 1;
    this.#validation.write(out);
    return HEADER_SIZE;
  }
}
