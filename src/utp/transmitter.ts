import type { Instant } from "../contract/clock.ts";
import type { Halves } from "./connection-parts.ts";
import type { SentPacket } from "./flight.ts";
import {
  EXTENSION_HEADER_SIZE,
  HEADER_SIZE,
  PATH_PROBE,
  PATH_PROBE_ANSWER,
  type Packet,
  read16,
} from "./packet.ts";
import { FRAGMENT_OVERHEAD, type PacketWriter } from "./packet-writer.ts";
import type { PathMtu } from "./path-mtu.ts";
import type { Receiver } from "./receiver.ts";
import type { Sender } from "./sender.ts";
import type { Validation } from "./validation.ts";

/** Consecutive time-outs after which large packets are taken to be too large (RFC 8899 §4.3: black hole). */
const BLACK_HOLE = 2;

/** Decides which packet of an established connection leaves next. */
export class Transmitter {
  /** The peer is owed an acknowledgement; any packet carries it. */
  ackDue = false;
  keepAliveDue = false;
  /** Size of a path probe that came and is to be answered, or 0. */
  #probeToAnswer = 0;
  /** A packet too large for the path, of which fragments from `#fragmentAt` on are to be sent. */
  #fragmented: SentPacket | undefined;
  #fragmentAt = 0;
  readonly writer: PacketWriter;
  readonly mtu: PathMtu;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #validation: Validation;

  constructor(writer: PacketWriter, mtu: PathMtu, { sender, receiver, validation }: Halves) {
    this.writer = writer;
    this.mtu = mtu;
    this.#sender = sender;
    this.#receiver = receiver;
    this.#validation = validation;
  }

  /**
   * Dialling: shows the peer that its answer came, and goes on doing so until it is heard. Who does not know our extension
   * answers nothing but data, so that it gets some that it has.
   */
  prove(now: Instant): void {
    this.#validation.awaitConfirmation(now, this.#sender.rtt.rto);
    if (this.#validation.peerExtended || !this.#validation.repeating) this.ackDue = true;
    else this.keepAliveDue = this.#validation.unconfirmed;
  }

  /** Notes what a packet says about the path. */
  receive(packet: Packet, now: Instant): void {
    if (packet.probeStart > 0) this.#probeToAnswer = packet.data.length;
    if (packet.probeAnswerStart === 0) return;
    if (this.mtu.answered(read16(packet.data, packet.probeAnswerStart), now)) this.#resize();
  }

  /** The system refuses datagrams of the present size. */
  tooLarge(now: Instant): void {
    if (this.mtu.fall(now)) this.#resize();
  }

  #resize(): void {
    this.#sender.setPayload(this.mtu.payload);
  }

  /** Writes the next packet into `out`; returns its size, 0 if nothing may leave now. */
  next(now: Instant, out: Uint8Array): number {
    const { allowance, extensionSize } = this.#validation;
    const overhead = HEADER_SIZE + extensionSize;
    if (overhead > allowance) return 0;
    if (this.#fragmented) return this.#fragment(this.#fragmented, now, out);
    // DATA carries no selective ack, so that one has to leave by itself.
    if (this.ackDue && this.#receiver.gapped) return this.#state(now, out);
    // What a closed window drops says nothing about the path.
    if (this.#sender.consecutiveTimeouts >= BLACK_HOLE && this.#sender.peerWindow > 0) this.tooLarge(now);
    const packet = this.#sender.poll(now, allowance - overhead, extensionSize);
    if (packet) return this.#data(packet, now, out);
    if (this.ackDue || this.#validation.confirmationDue) return this.#state(now, out);
    return this.#extra(now, out);
  }

  #data(packet: SentPacket, now: Instant, out: Uint8Array): number {
    this.ackDue = false;
    const { payload } = this.#sender;
    const length = packet.length + metaSize(packet);
    if (length === payload && this.#knowsExtensions) this.mtu.begin();
    if (length <= payload || !this.#knowsExtensions) return this.writer.data(out, packet, now);
    this.#fragmented = packet;
    this.#fragmentAt = 0;
    return this.#fragment(packet, now, out);
  }

  /** The peer knows our extensions, and that it does is no stranger's word. */
  get #knowsExtensions(): boolean {
    return this.#validation.peerExtended && this.#validation.validated;
  }

  /** A part of a packet that was sent when the path, or our idea of it, was wider. */
  #fragment(packet: SentPacket, now: Instant, out: Uint8Array): number {
    const from = this.#fragmentAt;
    const room = this.#sender.payload - FRAGMENT_OVERHEAD - metaSize(packet);
    const length = Math.min(room, packet.length - from);
    this.#fragmentAt += length;
    // Acknowledged meanwhile, it has no bytes any more.
    if (this.#fragmentAt >= packet.length || packet.fate === "free") this.#fragmented = undefined;
    return this.writer.fragment(out, packet, from, Math.max(0, length), now);
  }

  /** What leaves when there is neither data nor an acknowledgement. */
  #extra(now: Instant, out: Uint8Array): number {
    if (this.#probeToAnswer > 0) {
      const size = this.#probeToAnswer;
      this.#probeToAnswer = 0;
      return this.writer.pathProbe(out, PATH_PROBE_ANSWER, size, 0, now);
    }
    const probe = this.mtu.takeProbe(now, this.#sender.rtt.rto);
    if (probe > 0) return this.writer.pathProbe(out, PATH_PROBE, probe, probe, now);
    if (!this.keepAliveDue) return 0;
    this.keepAliveDue = false;
    return this.writer.keepAlive(out, now);
  }

  #state(now: Instant, out: Uint8Array): number {
    this.ackDue = false;
    return this.writer.state(out, this.#validation.allowance, now);
  }

  /** Tells the peer about room it does not know of, once that is worth a packet. True if a packet is due. */
  updateWindow(): boolean {
    if (this.ackDue || this.writer.edge - this.writer.toldEdge < this.#receiver.capacity / 4) return false;
    this.ackDue = true;
    return true;
  }
}

/** Bytes of the metadata extension, which every fragment repeats. */
function metaSize({ chunk }: SentPacket): number {
  return chunk?.meta ? EXTENSION_HEADER_SIZE + chunk.meta.length : 0;
}
