import type { Json } from "../contract/endpoint.ts";
import { rangeError, typeError } from "./argument.ts";

/** The longest body of a signal: bytes of JSON in UTF-8 (DESIGN §9). */
export const MAX_SIGNAL = 16_384;

/** A body as JSON text. @throws ERR_OUT_OF_RANGE if it is too long, ERR_INVALID_ARG_TYPE if it is no JSON. */
export function encodeSignal(body: Json): string {
  const text = JSON.stringify(body) as string | undefined;
  if (text === undefined) throw typeError("body", "something JSON can carry", body);
  if (exceeds(text, MAX_SIGNAL)) {
    throw rangeError("body", `at most ${MAX_SIGNAL} bytes of JSON`, `${text.length} characters`);
  }
  return text;
}

/** A body from JSON text; undefined if it is none. */
export function decodeSignal(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Whether a text has more bytes in UTF-8. A character has one to three of them, mostly one. */
export function exceeds(text: string, bytes: number): boolean {
  if (text.length > bytes) return true;
  return text.length * 3 > bytes && new TextEncoder().encode(text).length > bytes;
}
