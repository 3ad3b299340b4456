import type { Instant } from "../contract/clock.ts";
import type { Datagram, SocketAddress } from "../contract/datagram-socket.ts";
import { HANDSHAKE, HANDSHAKE_SIZE, HEADER_SIZE, write16, writeExtension, writeHeader } from "./packet.ts";
import { micros } from "./packet-writer.ts";
import { HANDSHAKE_EXTENSION } from "./validation.ts";

/** Answers to strangers that may wait; above, they are dropped (chosen: more than a receive burst brings). */
const MAX_ANSWERS = 1024;

/** A packet without payload that belongs to no connection (any more, or yet). */
export interface BarePacket {
  readonly type: number;
  readonly connectionId: number;
  readonly seq: number;
  readonly ack: number;
  readonly window?: number;
  readonly timestampDifference?: number;
  /** Adds the handshake extension without flags. */
  readonly handshake?: boolean;
}

/** Packets that leave before those of connections: RESETs, answers to SYNs, acknowledgements of repeated FINs. */
export class Outbox {
  #queue: Datagram[] = [];
  #head = 0;

  get empty(): boolean {
    return this.#head === this.#queue.length;
  }

  /** Returns the size, 0 if too many answers wait; `forced` waits all the same. */
  push(remote: SocketAddress, packet: BarePacket, now: Instant, forced = false): number {
    if (!forced && this.#queue.length - this.#head >= MAX_ANSWERS) return 0;
    const data = new Uint8Array(HEADER_SIZE + (packet.handshake ? HANDSHAKE_EXTENSION : 0));
    const { type, connectionId, seq, ack, window = 0, timestampDifference = 0 } = packet;
    writeHeader(data, type, connectionId, micros(now), timestampDifference, window, seq, ack);
    if (packet.handshake) {
      const at = writeExtension(data, 1, HEADER_SIZE, HANDSHAKE, HANDSHAKE_SIZE);
      write16(data, at + 1, seq);
    }
    this.#queue.push({ data, remote });
    return data.length;
  }

  shift(): Datagram | undefined {
    const datagram = this.#queue[this.#head];
    if (!datagram) return undefined;
    this.#head++;
    if (this.empty) {
      this.#queue = [];
      this.#head = 0;
    }
    return datagram;
  }
}
