/**
 * What is relayed: binary WebSocket messages, of which the first four bytes are the number of the dialog at that client,
 * signed and big-endian, the fifth says what it is, and the rest is a message of a `LinkChannel` (`src/host`): its bytes, or
 * its words `end` and `grant n`.
 */

/** What a relayed frame is. */
export const KIND = {
  /** Bytes of the stream. */
  data: 0,
  /** A word that steers it. */
  word: 1,
  /** The channel closes in good order. */
  close: 2,
  /** It is gone; from the registrar with a code of `REFUSALS`. */
  reset: 3,
} as const;

/** Bytes before the message. */
export const RELAY_HEAD = 5;

/** The longest message: what stands before it, on an introducer's lane as well, makes 16 KiB of it (DESIGN §9). */
export const MAX_RELAYED = 16_384 - RELAY_HEAD - 2;

/** What may be under way in one direction, with what each message costs beside its bytes (DESIGN §9). */
export const RELAY_WINDOW = 262_144;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A frame for a client that knows the dialog by that number. */
export function encodeRelayed(dialog: number, kind: number, message: Uint8Array | string = ""): Uint8Array {
  const bytes = typeof message === "string" ? encoder.encode(message) : message;
  const frame = new Uint8Array(RELAY_HEAD + bytes.length);
  frame[4] = kind;
  frame.set(bytes, RELAY_HEAD);
  address(frame, dialog);
  return frame;
}

/** Makes it a frame about another dialog. */
export function address(frame: Uint8Array, dialog: number): void {
  frame[0] = dialog >> 24;
  frame[1] = dialog >> 16;
  frame[2] = dialog >> 8;
  frame[3] = dialog;
}

/** The dialog's number; 0, which no dialog has, for what is too short. */
export function dialogOf(frame: Uint8Array): number {
  if (frame.length < RELAY_HEAD) return 0;
  return (frame[0]! << 24) | (frame[1]! << 16) | (frame[2]! << 8) | frame[3]!;
}

/** What a frame carries. */
export function messageOf(frame: Uint8Array): Uint8Array {
  return frame.subarray(RELAY_HEAD);
}

/** The text that a frame carries. */
export function wordOf(frame: Uint8Array): string {
  return decoder.decode(messageOf(frame));
}
