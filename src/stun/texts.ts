import { valueError } from "../base/argument.ts";
import { AttributeKind } from "./attribute.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The UTF-8 text of bytes, or undefined if they are none. Encoded again it gives the same bytes. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** An attribute of UTF-8 text of up to `limit` bytes. `name` is for the error about a longer one. */
export function text(type: number, name: string, limit: number): AttributeKind<string> {
  return new AttributeKind(type, {
    encode(value) {
      const bytes = encoder.encode(value);
      if (bytes.length > limit) throw valueError(name, `must have at most ${limit} bytes of UTF-8`, value);
      return bytes;
    },
    decode(bytes) {
      return bytes.length <= limit ? textOf(bytes) : undefined;
    },
  });
}

/** Who asks; RFC 8489 §14.3 wants less than 509 bytes. */
export const USERNAME = text(0x0006, "username", 508);
/** Whose users they are; RFC 8489 §14.9 wants less than 128 characters, 763 bytes. */
export const REALM = text(0x0014, "realm", 763);
/** What the server wants to see again; RFC 8489 §14.10 wants less than 128 characters, 763 bytes. */
export const NONCE = text(0x0015, "nonce", 763);
/** What program speaks; RFC 8489 §14.14 wants less than 128 characters, 763 bytes. */
export const SOFTWARE = text(0x8022, "software", 763);
