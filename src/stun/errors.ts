import { AttributeKind } from "./attribute.ts";
import { textOf } from "./texts.ts";

/** An error response's code, 300 to 699, and its words. */
export interface StunError {
  readonly code: number;
  readonly reason: string;
}

/** RFC 8489 §14.8 and §18.3. */
export const TRY_ALTERNATE = 300;
export const BAD_REQUEST = 400;
export const UNAUTHENTICATED = 401;
export const UNKNOWN_ATTRIBUTE = 420;
export const STALE_NONCE = 438;

/** RFC 8489 §14.8 wants less than 128 characters, 763 bytes. */
const MAX_REASON = 763;

/** Why a request failed: two zero bytes, hundreds, the rest, UTF-8 (RFC 8489 §14.8). A garbled reason is an empty one. */
export const ERROR_CODE = new AttributeKind<StunError>(0x0009, {
  encode({ code, reason }) {
    const text = new TextEncoder().encode(reason).subarray(0, MAX_REASON);
    const bytes = new Uint8Array(4 + text.length);
    bytes[2] = Math.floor(code / 100);
    bytes[3] = code % 100;
    bytes.set(text, 4);
    return bytes;
  },
  decode(bytes) {
    const [hundreds, rest] = [bytes[2]! & 7, bytes[3]!];
    if (bytes.length < 4 || hundreds < 3 || hundreds > 6 || rest > 99) return undefined;
    const text = bytes.length > 4 + MAX_REASON ? "" : (textOf(bytes.subarray(4)) ?? "");
    return { code: 100 * hundreds + rest, reason: text };
  },
});

/** The attributes that error 420 is about (RFC 8489 §14.13). */
export const UNKNOWN_ATTRIBUTES = new AttributeKind<readonly number[]>(0x000a, {
  encode: (types) => Uint8Array.from(types.flatMap((type) => [type >> 8, type & 0xff])),
  decode(bytes) {
    if (bytes.length % 2 !== 0) return undefined;
    return Array.from({ length: bytes.length / 2 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  },
});
