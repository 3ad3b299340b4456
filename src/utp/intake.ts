import { serialDistance } from "../base/serial.ts";
import type { Instant } from "../contract/clock.ts";
import type { Halves } from "./connection-parts.ts";
import type { Dial } from "./dial.ts";
import { FIRST_FLIGHT_ACCEPTED, type Packet, STATE, SYN } from "./packet.ts";
import { micros } from "./packet-writer.ts";
import type { Receiver } from "./receiver.ts";
import type { Sender } from "./sender.ts";
import type { Transmitter } from "./transmitter.ts";
import type { Validation } from "./validation.ts";

/** Packets may arrive this many acknowledgements late; older ones are somebody's guess (chosen: the most in flight). */
const MAX_STALE = 1024;

/** Judges the packets of one connection and hands them to its halves. */
export class Intake {
  readonly #dial: Dial | undefined;
  /** Sequence numbers of our SYN, or of the STATE that accepted, and of the peer's SYN. */
  readonly #first: number;
  readonly #peerSyn: number;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #validation: Validation;
  readonly #transmitter: Transmitter;

  constructor(
    dial: Dial | undefined,
    first: number,
    peerSyn: number,
    transmitter: Transmitter,
    { sender, receiver, validation }: Halves,
  ) {
    this.#dial = dial;
    this.#first = first;
    this.#peerSyn = peerSyn;
    this.#transmitter = transmitter;
    this.#sender = sender;
    this.#receiver = receiver;
    this.#validation = validation;
  }

  /** Whether the first packet of the peer answers our SYN; if so its numbers are taken over. */
  answers(packet: Packet, now: Instant): boolean {
    const extended = packet.handshakeStart > 0;
    if (packet.ack !== this.#first || packet.type === SYN) return false;
    if (!extended && packet.type !== STATE) return false;
    const { dataLength, tries, sentAt } = this.#dial!;
    this.#sender.meetPeer(packet.window, extended);
    this.#receiver.start(extended ? packet.handshakeValue : packet.seq);
    const accepted = (packet.handshakeFlags & FIRST_FLIGHT_ACCEPTED) !== 0 && dataLength > 0;
    this.#validation.firstFlightAccepted = accepted;
    if (accepted) this.#sender.buffer.skip(dataLength);
    if (tries === 1) this.#sender.rtt.sample(Math.max(0.001, now - sentAt), now);
    this.#validation.peerExtended = extended;
    this.#transmitter.prove(now);
    return true;
  }

  /** Why a packet of an established connection makes no sense, if it does not. */
  refusal(packet: Packet): string | undefined {
    if (packet.type === SYN) return this.#dial || packet.seq !== this.#peerSyn ? "foreign-syn" : undefined;
    const { una, span } = this.#sender.flight;
    const acked = serialDistance(packet.ack, una);
    if (acked >= span) return "ack-unsent";
    return acked < (this.#validation.validated ? -MAX_STALE : -1) ? "ack-stale" : undefined;
  }

  /** Whether a RESET comes from somebody who has seen our packets, or sent the SYN. */
  isReset(packet: Packet, connecting: boolean): boolean {
    if (connecting) return packet.ack === this.#first;
    const { una, span } = this.#sender.flight;
    const distance = serialDistance(packet.ack, una);
    if (distance >= -2 && distance <= span) return true;
    // A dialler that gives up before our answer came cannot know our numbers, but its own.
    return !this.#validation.validated && packet.seq === ((this.#peerSyn + 1) & 0xffff);
  }

  /** Whether a packet brings bytes that did not come before. */
  isNews(packet: Packet): boolean {
    if (packet.type === STATE || packet.type === SYN || packet.payloadLength === 0) return false;
    return serialDistance(packet.seq, this.#receiver.next) >= 0;
  }

  /** Takes a packet that makes sense. Returns why its data was dropped, if it was. */
  take(packet: Packet, now: Instant): string | undefined {
    const delay = (micros(now) - packet.timestamp) >>> 0;
    this.#transmitter.writer.peerDelay = delay;
    this.#validation.receive(packet);
    if (packet.type === SYN) {
      this.#transmitter.ackDue = true;
      return undefined;
    }
    if (!this.#validation.validated) this.#validation.prove();
    const acked = serialDistance(packet.ack, this.#sender.flight.una);
    if (acked >= -1) this.#sender.acknowledge(packet, delay, now);
    this.#transmitter.receive(packet, now);
    if (packet.type === STATE) return undefined;
    this.#transmitter.ackDue = true;
    // Both ends' one-way delays add up to the round trip, whatever their clocks say.
    const rtt = (packet.timestampDifference + delay) >>> 0;
    if (packet.timestampDifference !== 0) this.#receiver.tune(rtt / 1000, now);
    return this.#receiver.receive(packet, packet.payload());
  }
}
