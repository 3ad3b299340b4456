import type { Instant } from "../contract/clock.ts";
import { HEADER_SIZE } from "./packet.ts";
import type { PacketWriter } from "./packet-writer.ts";
import type { Receiver } from "./receiver.ts";
import type { Sender } from "./sender.ts";
import type { Validation } from "./validation.ts";

/** Decides which packet of an established connection leaves next. */
export class Transmitter {
  /** The peer is owed an acknowledgement; any packet carries it. */
  ackDue = false;
  keepAliveDue = false;
  readonly #writer: PacketWriter;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #validation: Validation;

  constructor(writer: PacketWriter, sender: Sender, receiver: Receiver, validation: Validation) {
    this.#writer = writer;
    this.#sender = sender;
    this.#receiver = receiver;
    this.#validation = validation;
  }

  /** Writes the next packet into `out`; returns its size, 0 if nothing may leave now. */
  next(now: Instant, out: Uint8Array): number {
    const { allowance, extensionSize, confirmationDue } = this.#validation;
    const overhead = HEADER_SIZE + extensionSize;
    if (overhead > allowance) return 0;
    // DATA carries no selective ack, so that one has to leave by itself.
    if (confirmationDue || (this.ackDue && this.#receiver.gapped)) return this.#state(now, out);
    const room = Math.min(allowance - overhead, this.#sender.payload - extensionSize);
    const packet = this.#sender.poll(now, room);
    if (packet) {
      this.ackDue = false;
      return this.#writer.data(out, packet, now);
    }
    if (this.ackDue) return this.#state(now, out);
    if (!this.keepAliveDue) return 0;
    this.keepAliveDue = false;
    return this.#writer.keepAlive(out, now);
  }

  #state(now: Instant, out: Uint8Array): number {
    this.ackDue = false;
    return this.#writer.state(out, this.#validation.allowance, now);
  }

  /** Tells the peer about room it does not know of, once that is worth a packet. True if a packet is due. */
  updateWindow(): boolean {
    if (this.ackDue || this.#writer.edge - this.#writer.toldEdge < this.#receiver.capacity / 4) return false;
    this.ackDue = true;
    return true;
  }
}
