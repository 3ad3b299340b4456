/** Handshake payloads: type (1 byte), length (2 bytes), value. Unknown types are ignored. */

const TYPES = { padding: 0, sessionId: 1, refused: 2 } as const;
const HEADER = 3;

/** Bytes of a session's id. */
export const SESSION_ID_LENGTH = 16;

/** What the sides tell each other in handshake messages. */
export interface Payload {
  /** Chosen by the initiator at random. */
  readonly sessionId?: Uint8Array;
  /** The responder does not want this initiator. */
  readonly refused?: boolean;
}

/** `padTo`: length in bytes to fill up to, reached to within the 3 bytes of an item's header. */
export function encodePayload({ sessionId, refused }: Payload, padTo = 0): Uint8Array {
  const length = (sessionId ? HEADER + SESSION_ID_LENGTH : 0) + (refused ? HEADER : 0);
  const padding = padTo - length - HEADER;
  const bytes = new Uint8Array(padding < 0 ? length : padTo);
  let at = 0;
  if (sessionId) {
    bytes.set([TYPES.sessionId, 0, SESSION_ID_LENGTH]);
    bytes.set(sessionId, HEADER);
    at = HEADER + SESSION_ID_LENGTH;
  }
  if (refused) bytes.set([TYPES.refused, 0, 0], at);
  if (padding >= 0) bytes.set([TYPES.padding, padding >> 8, padding & 0xff], length);
  return bytes;
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
    at += HEADER + value.length;
  }
  return payload;
}
