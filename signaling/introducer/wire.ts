/**
 * The registrar's protocol (`registrar/protocol.ts`) over the messages of a lane. Each message begins with its kind and
 * the number of the visit it belongs to, a byte each; what belongs to another visit is late, and ignored.
 *
 * ```
 * client                                   introducer
 *   begin visit                       ->                    whatever visit there was is over
 *   part visit text, last visit text  <->                   one frame of the protocol, in UTF-8
 *   relayed visit frame               <->                   what is relayed (`registrar/relay-frame.ts`)
 *   end visit status reason           <->                   as the close of a WebSocket (RFC 6455 §7.1)
 * ```
 */
import { concat } from "../../src/base/bytes.ts";

/** The lane that introductions have. */
export const INTRODUCER_LANE = 1;

/** Bytes of one message after its kind and visit (DESIGN §6: 16 KiB in all). */
const MAX_PART = 16_384 - 2;

const KINDS = { begin: 0, part: 1, last: 2, end: 3, relayed: 4 } as const;

const text = { encoder: new TextEncoder(), decoder: new TextDecoder("utf-8", { fatal: true }) };

/** What one message says; a frame is undefined where its bytes are no text, or too many. */
export type LaneMessage =
  | { readonly type: "begin"; readonly visit: number }
  | { readonly type: "frame"; readonly visit: number; readonly frame: string | undefined }
  | { readonly type: "relayed"; readonly visit: number; readonly frame: Uint8Array }
  | { readonly type: "end"; readonly visit: number; readonly status: number; readonly reason: string };

/** The message that begins a visit. */
export function encodeBegin(visit: number): Uint8Array {
  return Uint8Array.of(KINDS.begin, visit);
}

/** The messages of a frame, usually one. */
export function encodeFrame(visit: number, frame: string): readonly Uint8Array[] {
  const bytes = text.encoder.encode(frame);
  const messages: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += MAX_PART) {
    const kind = at + MAX_PART < bytes.length ? KINDS.part : KINDS.last;
    messages.push(concat([Uint8Array.of(kind, visit), bytes.subarray(at, at + MAX_PART)]));
  }
  return messages;
}

/** The message of a relayed frame, which fits into one. */
export function encodeRelayedFrame(visit: number, frame: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(KINDS.relayed, visit), frame]);
}

/** The message that ends a visit. */
export function encodeEnd(visit: number, status: number, reason: string): Uint8Array {
  const bytes = text.encoder.encode(reason);
  return concat([
    Uint8Array.of(KINDS.end, visit, status >> 8, status & 0xff),
    bytes.subarray(0, MAX_PART - 2),
  ]);
}

/** Makes frames of messages again. Holds no more than one frame of the longest length. */
export class LaneReader {
  readonly #longest: number;
  #visit = 0;
  #parts: Uint8Array[] = [];
  #length = 0;

  /** `longest` is in bytes. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** What a message says; undefined until its frame is whole, and for what is no message. */
  read(body: Uint8Array): LaneMessage | undefined {
    const [kind, visit, high = 0, low = 0] = body;
    if (visit === undefined) return undefined;
    if (visit !== this.#visit) this.#forget();
    this.#visit = visit;
    if (kind === KINDS.part || kind === KINDS.last)
      return this.#read(body.subarray(2), visit, kind === KINDS.last);
    this.#forget();
    // It may wait for long, and shall not keep the record that it came in.
    if (kind === KINDS.relayed) return { type: "relayed", visit, frame: body.slice(2) };
    if (kind === KINDS.begin) return { type: "begin", visit };
    if (kind !== KINDS.end) return undefined;
    return { type: "end", visit, status: (high << 8) | low, reason: decode(body.subarray(4)) ?? "" };
  }

  #read(part: Uint8Array, visit: number, last: boolean): LaneMessage | undefined {
    // Small parts cost more than they say.
    this.#length += last || part.length === MAX_PART ? part.length : Number.POSITIVE_INFINITY;
    if (this.#length <= this.#longest) this.#parts.push(part);
    else this.#parts = [];
    if (!last) return undefined;
    const frame = this.#length <= this.#longest ? decode(concat(this.#parts)) : undefined;
    this.#forget();
    return { type: "frame", visit, frame };
  }

  #forget(): void {
    this.#parts = [];
    this.#length = 0;
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return text.decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
