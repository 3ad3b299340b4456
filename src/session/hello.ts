import { concat } from "../base/bytes.ts";
import type { CipherName } from "../contract/crypto.ts";
import type { ByteQueue } from "./byte-queue.ts";
import type { PatternName } from "./noise.ts";

/**
 * The wire format of a handshake: a hello byte, then messages of a 16-bit length and as many bytes. A
 * length of 0 is an alert, whose one byte says why the handshake is over; it is a hint without proof.
 */

/** The first four bits of the hello byte. */
const VERSION = 1;

const PATTERNS: readonly PatternName[] = ["IK", "XX"];
const CIPHERS: readonly CipherName[] = ["AESGCM", "ChaChaPoly"];

/** Chosen: a padded first flight is 1200 bytes, and a stranger cannot make us hold more than this. */
export const MAX_HANDSHAKE_MESSAGE = 2048;

/** What an alert can say. */
export const ALERTS = {
  /** The hello byte names a version, pattern or cipher the responder does not know. */
  unsupported: 1,
  /** The message was not made for the responder's key, or was changed on the way. */
  unreadable: 2,
} as const;

/** What a hello byte names. */
export interface Hello {
  readonly pattern: PatternName;
  readonly cipher: CipherName;
}

/** The first byte of a handshake: version in the high four bits, pattern and cipher in two each. */
export function helloByte({ pattern, cipher }: Hello): number {
  return (VERSION << 4) | (PATTERNS.indexOf(pattern) << 2) | CIPHERS.indexOf(cipher);
}

/** Undefined if the byte names anything this version does not have. */
export function parseHello(byte: number): Hello | undefined {
  const pattern = PATTERNS[(byte >> 2) & 3];
  const cipher = CIPHERS[byte & 3];
  return byte >> 4 === VERSION && pattern && cipher ? { pattern, cipher } : undefined;
}

/** The context with the hello byte, so that nobody can change it unnoticed (Noise §6). */
export function prologueOf(context: Uint8Array, hello: Hello): Uint8Array {
  return concat([context, Uint8Array.of(helloByte(hello))]);
}

/** A message with its length in front, and the hello byte in front of that if it is the first one. */
export function frameMessage(message: Uint8Array, hello?: Hello): Uint8Array {
  const length = Uint8Array.of(message.length >> 8, message.length & 0xff);
  return concat(hello ? [Uint8Array.of(helloByte(hello)), length, message] : [length, message]);
}

/** An alert as it goes over the wire. */
export function frameAlert(alert: number): Uint8Array {
  return Uint8Array.of(0, 0, alert);
}

/** What has come of a handshake. */
export type HandshakeInput =
  | { readonly type: "message"; readonly message: Uint8Array }
  | { readonly type: "alert"; readonly alert: number }
  | { readonly type: "oversized" };

/** Takes one message or alert; undefined until it is there as a whole. */
export function takeInput(queue: ByteQueue): HandshakeInput | undefined {
  const length = queue.peek16();
  if (length === undefined) return undefined;
  if (length > MAX_HANDSHAKE_MESSAGE) return { type: "oversized" };
  if (queue.length < 2 + Math.max(length, 1)) return undefined;
  queue.take(2);
  if (length === 0) return { type: "alert", alert: queue.take(1)[0]! };
  return { type: "message", message: queue.take(length) };
}
