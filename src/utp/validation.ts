import type { Instant, Millis } from "../contract/clock.ts";
import {
  CONFIRM_VALIDATION,
  EXTENSION_HEADER_SIZE,
  FIRST_FLIGHT_ACCEPTED,
  HANDSHAKE,
  HANDSHAKE_SIZE,
  HEADER_SIZE,
  type Packet,
  STATE,
  SYN,
  VALIDATED,
  write16,
  writeExtension,
} from "./packet.ts";

/** A peer that has not proved its address by now is forgotten (chosen: twice a dialler's patience). */
const PROOF_TIMEOUT: Millis = 10_000;

/** A proof is repeated so often before that takes twice as long each time (chosen: six fit into the time a peer waits). */
const EVEN_TRIES = 4;
/** … and then after up to 64 time-outs' length (chosen). */
const MOST_DOUBLINGS = 6;

/** Bytes of the handshake extension. */
export const HANDSHAKE_EXTENSION = EXTENSION_HEADER_SIZE + HANDSHAKE_SIZE;

/**
 * Proof that the dialler receives at its address: it acknowledges our random sequence number. Before that, nothing
 * more is sent to it than came from it, retransmissions included. A dialler that knows our extension repeats its proof
 * until we confirm it, since nothing else would repair its loss.
 */
export class Validation {
  /** The dialler has proved its address, or we are the dialler. */
  validated: boolean;
  /** The peer knows our extensions. */
  peerExtended: boolean;
  /** On the accepting side: the data of the SYN was taken. On the dialling side: so says the peer. */
  firstFlightAccepted = false;
  /** We dialled, and do not know whether our proof has arrived. */
  unconfirmed = false;
  /** When the proof is repeated, or given up as the peer's. */
  deadline: Instant = Number.POSITIVE_INFINITY;
  /** What we may still send before proof. */
  #credit = 0;
  #confirmationDue = false;
  #tries = 0;
  readonly #initiated: boolean;
  readonly #first: number;

  /** `first`: the sequence number of the accepting STATE. */
  constructor(initiated: boolean, peerExtended: boolean, first: number) {
    this.#initiated = initiated;
    this.validated = initiated;
    this.peerExtended = peerExtended;
    this.#first = first;
  }

  /** Accepting: the proof must come by then. */
  expectProof(credit: number, now: Instant): void {
    this.#credit = credit;
    this.deadline = now + PROOF_TIMEOUT;
  }

  /** Accepting: the peer has acknowledged our number. */
  prove(): void {
    this.validated = true;
    this.deadline = Number.POSITIVE_INFINITY;
  }

  /**
   * Dialling: our proof leaves, and again after `rto`, later twice, four times … as long, until it is confirmed. Who cannot
   * confirm it in words is tried a few times only.
   */
  awaitConfirmation(now: Instant, rto: Millis): void {
    this.unconfirmed = this.peerExtended || this.#tries < MOST_DOUBLINGS;
    this.deadline = this.unconfirmed
      ? now + rto * 2 ** Math.min(Math.max(0, this.#tries - EVEN_TRIES), MOST_DOUBLINGS)
      : Number.POSITIVE_INFINITY;
    this.#tries++;
  }

  /** Our proof has left more than once. */
  get repeating(): boolean {
    return this.#tries > 1;
  }

  /** Notes what a packet says about the handshake; it has passed all checks. */
  receive(packet: Packet): void {
    if (!this.validated) this.#credit += packet.data.length;
    const flags = packet.handshakeFlags;
    if (packet.type === SYN) return;
    if (this.unconfirmed && ((flags & VALIDATED) !== 0 || this.#answersProof(packet))) {
      this.unconfirmed = false;
      this.deadline = Number.POSITIVE_INFINITY;
    }
    // Only a dialler that knows our extension can be answered; any other would be sent packets for ever.
    if (this.peerExtended && !this.#initiated && (flags & CONFIRM_VALIDATION) !== 0)
      this.#confirmationDue = true;
  }

  /** Whether a packet without words about it can only come from who has our proof. The answer to our SYN may come twice. */
  #answersProof({ handshakeStart, type, ack }: Packet): boolean {
    if (handshakeStart > 0) return false;
    return this.peerExtended || type !== STATE || ack !== this.#first || this.repeating;
  }

  /** Bytes a datagram may have. */
  get allowance(): number {
    return this.validated ? Number.POSITIVE_INFINITY : this.#credit;
  }

  /** A datagram leaves. */
  sent(bytes: number): void {
    if (!this.validated) this.#credit -= bytes;
  }

  /** Whether a packet that says nothing else has to leave. */
  get confirmationDue(): boolean {
    return this.#confirmationDue && this.validated;
  }

  /** Bytes `write` will take. */
  get extensionSize(): number {
    const needed = this.#initiated
      ? this.unconfirmed && this.peerExtended
      : this.peerExtended && (!this.validated || this.#confirmationDue);
    return needed ? HANDSHAKE_EXTENSION : 0;
  }

  /** Writes the handshake extension as the first one. */
  write(out: Uint8Array): void {
    const at = writeExtension(out, 1, HEADER_SIZE, HANDSHAKE, HANDSHAKE_SIZE);
    let flags = CONFIRM_VALIDATION;
    if (!this.#initiated)
      flags = (this.firstFlightAccepted ? FIRST_FLIGHT_ACCEPTED : 0) | (this.validated ? VALIDATED : 0);
    out[at] = flags;
    write16(out, at + 1, this.#first);
    if (this.validated) this.#confirmationDue = false;
  }
}
