import { EMPTY } from "../base/bytes.ts";
import { ExpiringMap } from "../base/expiring-map.ts";
import { serialAdd } from "../base/serial.ts";
import { TokenBucket } from "../base/token-bucket.ts";
import type { Instant, Millis } from "../contract/clock.ts";
import type { Acceptance } from "./connection-parts.ts";
import { type Packet, SYN_METADATA } from "./packet.ts";

/** A dialler has this long to prove its address (chosen: twice a dialler's patience). */
const LIFETIME: Millis = 10_000;
/** A proof that takes longer may be one that was sent again (RFC 6298 §2.1: the least time-out without a sample). */
const FIRST_REPEAT: Millis = 1000;
/** SYNs without proof that are remembered; the oldest is forgotten first (chosen: 200 bytes each, and a dialler that is forgotten
 * after it was answered is reset: so many may dial at once). */
const MAX_HALF_OPEN = 16_384;
/** First flights taken before their senders have proved their addresses (DESIGN.md §6). */
const MAX_UNPROVED = 64;
const FIRST_FLIGHTS_PER_SECOND = 200;

/** A SYN that was answered, of a peer that has not proved its address. */
export interface HalfOpen {
  /** Sequence number of our STATE: unpredictable, so that acknowledging it is the proof. */
  readonly seq: number;
  readonly synSeq: number;
  readonly window: number;
  readonly extended: boolean;
  credit: number;
  answeredAt: Instant;
  answers: number;
}

/** What rode in a SYN. */
export interface FirstFlight {
  readonly data: Uint8Array;
  readonly meta: Uint8Array | undefined;
}

/** SYNs that wait for proof, and how many first flights may be taken without it. */
export class HalfOpens {
  readonly #waiting = new ExpiringMap<HalfOpen>(LIFETIME, MAX_HALF_OPEN);
  readonly #unproved = new Set<{ readonly validated: boolean; readonly state: string }>();
  readonly #rate = new TokenBucket(FIRST_FLIGHTS_PER_SECOND);

  get(key: string, now: Instant): HalfOpen | undefined {
    return this.#waiting.get(key, now);
  }

  delete(key: string): void {
    this.#waiting.delete(key);
  }

  /** Remembers a SYN under `key`. */
  open(key: string, packet: Packet, seq: number, now: Instant): HalfOpen {
    const halfOpen: HalfOpen = {
      seq,
      synSeq: packet.seq,
      window: packet.window,
      extended: packet.handshakeStart > 0,
      credit: 0,
      answeredAt: now,
      answers: 0,
    };
    this.#waiting.set(key, halfOpen, now);
    return halfOpen;
  }

  /** Whether a first flight may be taken now: few are unproved, and not too many came lately. */
  mayTakeFirstFlight(now: Instant): boolean {
    for (const connection of this.#unproved) {
      if (connection.validated || connection.state === "closed") this.#unproved.delete(connection);
    }
    return this.#unproved.size < MAX_UNPROVED && this.#rate.take(now);
  }

  /** A connection was made from a first flight. */
  tookFirstFlight(connection: { readonly validated: boolean; readonly state: string }): void {
    this.#unproved.add(connection);
  }
}

/** The data of a SYN, if it has any. Without our extension the whole payload is data, as in the seed's library. */
export function firstFlightOf(packet: Packet): FirstFlight | undefined {
  const extended = packet.handshakeStart > 0;
  const length = extended ? packet.handshakeValue : packet.payloadLength;
  if (length === 0 || length > packet.payloadLength) return undefined;
  const hasMeta = extended ? (packet.handshakeFlags & SYN_METADATA) !== 0 : true;
  return { data: packet.payload().subarray(0, length), meta: hasMeta ? packet.meta() : undefined };
}

/** Accepts a SYN together with the first flight in it. */
export function acceptFirstFlight(packet: Packet, { data, meta }: FirstFlight): Acceptance {
  return {
    synSeq: packet.seq,
    window: packet.window,
    extended: packet.handshakeStart > 0,
    data,
    meta,
    credit: packet.data.length,
    rtt: undefined,
  };
}

/** Accepts a SYN whose sender acknowledges our number, or returns undefined if `packet` does not. */
export function acceptProof(halfOpen: HalfOpen, packet: Packet, now: Instant): Acceptance | undefined {
  if (packet.ack !== serialAdd(halfOpen.seq, -1)) return undefined;
  const { synSeq, window, extended, credit, answers, answeredAt } = halfOpen;
  const took = now - answeredAt;
  // Only our own dialler answers at once, and again if that was lost; otherwise the time tells nothing.
  const rtt = extended && answers === 1 && took < FIRST_REPEAT ? took : undefined;
  return { synSeq, window, extended, data: EMPTY, meta: undefined, credit, rtt };
}
