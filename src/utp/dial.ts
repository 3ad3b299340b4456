import type { Instant, Millis } from "../contract/clock.ts";
import {
  EXTENSION_HEADER_SIZE,
  FEATURE_BITS_SIZE,
  HANDSHAKE,
  HANDSHAKE_SIZE,
  HEADER_SIZE,
  METADATA,
  SYN_METADATA,
  write16,
  writeExtension,
} from "./packet.ts";

/** The first retransmission of a SYN (chosen: half of RFC 6298's second, since a lost punch costs so much of 5 s). */
const FIRST_RETRY: Millis = 500;
/** Chosen: with a third of all packets lost, six SYNs in 5 s fail once in fifty times. */
const LATER_RETRIES: Millis = 1000;
/** SYNs with our extensions before those without: somebody's parser may not like them (chosen: half of the tries). */
const EXTENDED_TRIES = 3;
/** Size of a padded SYN: the smallest datagram every path carries (RFC 9000 §14). */
const PADDED_SYN = 1200;

/** What a dialler puts into its SYN besides the header. */
export interface SynContent {
  readonly data: Uint8Array;
  readonly meta: Uint8Array | undefined;
  readonly pad: boolean;
  readonly extensions: boolean;
}

/** The dialler's side of the handshake: when a SYN leaves and what is in it. */
export class Dial {
  /** When the next SYN is due. */
  nextAt: Instant = Number.NEGATIVE_INFINITY;
  /** SYNs sent. */
  tries = 0;
  sentAt: Instant = 0;
  /** Bytes of `data` that fit into the SYN. */
  readonly dataLength: number;
  readonly #content: SynContent;
  #hurried = false;

  constructor(content: SynContent) {
    this.#content = content;
    const room = PADDED_SYN - HEADER_SIZE - this.#extensionSize();
    this.dataLength = content.extensions ? Math.min(content.data.length, room) : 0;
  }

  /** Somebody answers there: a SYN may leave at once, and lost ones are repeated as soon as the first. */
  hurry(): void {
    this.#hurried = true;
    this.nextAt = Number.NEGATIVE_INFINITY;
  }

  /** A SYN leaves: sets when the next is due. */
  sent(now: Instant): void {
    this.sentAt = now;
    this.nextAt = now + (this.tries === 0 || this.#hurried ? FIRST_RETRY : LATER_RETRIES);
    this.tries++;
  }

  /** Writes extensions and data behind the header in `out`; returns the size of the SYN. Call before `sent`. */
  write(out: Uint8Array): number {
    if (!this.#content.extensions || this.tries >= EXTENDED_TRIES) return HEADER_SIZE;
    const { data, meta } = this.#content;
    const shield = meta?.length ?? FEATURE_BITS_SIZE;
    let at = writeExtension(out, 1, HEADER_SIZE, METADATA, shield);
    if (meta) out.set(meta, at);
    else out.fill(0, at, at + shield);
    at = writeExtension(out, HEADER_SIZE, at + shield, HANDSHAKE, HANDSHAKE_SIZE);
    out[at] = meta ? SYN_METADATA : 0;
    write16(out, at + 1, this.dataLength);
    at += HANDSHAKE_SIZE;
    out.set(data.subarray(0, this.dataLength), at);
    at += this.dataLength;
    if (!this.#content.pad || at >= PADDED_SYN) return at;
    out.fill(0, at, PADDED_SYN);
    return PADDED_SYN;
  }

  #extensionSize(): number {
    const shield = this.#content.meta?.length ?? FEATURE_BITS_SIZE;
    return 2 * EXTENSION_HEADER_SIZE + shield + HANDSHAKE_SIZE;
  }
}
