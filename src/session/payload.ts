/** Handshake payloads: type (1 byte), length (2 bytes), value. Unknown types are ignored. */

import { concat, EMPTY } from "../base/bytes.ts";

const TYPES = { padding: 0, sessionId: 1, refused: 2, early: 3 } as const;
const HEADER = 3;

/** Bytes of a session's id. */
export const SESSION_ID_LENGTH = 16;

/** What the sides tell each other in handshake messages. */
export interface Payload {
  /** Chosen by the initiator at random. */
  readonly sessionId?: Uint8Array;
  /** The responder does not want this initiator. */
  readonly refused?: boolean;
  /** What the initiator of a dialog has to say at once. Whoever carries it can repeat it later. */
  readonly early?: Uint8Array | undefined;
}

/** `padTo`: length in bytes to fill up to, reached to within the 3 bytes of an item's header. */
export function encodePayload({ sessionId, refused, early }: Payload, padTo = 0): Uint8Array {
  const items = [
    ...(sessionId ? [item(TYPES.sessionId, sessionId)] : []),
    ...(refused ? [item(TYPES.refused)] : []),
    ...(early ? [item(TYPES.early, early)] : []),
  ];
  const length = items.reduce((sum, { length }) => sum + length, 0);
  const padding = padTo - length - HEADER;
  return concat(padding < 0 ? items : [...items, item(TYPES.padding, new Uint8Array(padding))]);
}

function item(type: number, value: Uint8Array = EMPTY): Uint8Array {
  return concat([Uint8Array.of(type, value.length >> 8, value.length & 0xff), value]);
}

/** Undefined if an item is cut off, or has a wrong length. */
export function decodePayload(bytes: Uint8Array): Payload | undefined {
  let payload: Payload = {};
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < HEADER) return undefined;
    const value = bytes.subarray(at + HEADER, at + HEADER + ((bytes[at + 1]! << 8) | bytes[at + 2]!));
    if (value.length !== ((bytes[at + 1]! << 8) | bytes[at + 2]!)) return undefined;
    if (bytes[at] === TYPES.sessionId) {
      if (value.length !== SESSION_ID_LENGTH) return undefined;
      payload = { ...payload, sessionId: new Uint8Array(value) };
    } else if (bytes[at] === TYPES.refused) payload = { ...payload, refused: true };
    else if (bytes[at] === TYPES.early) payload = { ...payload, early: new Uint8Array(value) };
    at += HEADER + value.length;
  }
  return payload;
}
