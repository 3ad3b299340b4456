/** A chunk of no bytes. */
export const EMPTY = new Uint8Array(0);

/** Joins chunks into one new array. */
export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

/** Whether two arrays hold the same bytes. Leaks where they differ: not for secrets. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += (byte < 16 ? "0" : "") + byte.toString(16);
  return text;
}

/** Bytes of a hexadecimal text, or undefined if it is none. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** What a letter stands for, by its code; what is none stands for nothing. */
const SIX_BITS: readonly (number | undefined)[] = Array.from({ length: 128 }, (_, code) => {
  const bits = LETTERS.indexOf(String.fromCharCode(code));
  return bits < 0 ? undefined : bits;
});

/** Unpadded base64url (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const three = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text +=
      LETTERS[three >> 18]! + LETTERS[(three >> 12) & 63] + LETTERS[(three >> 6) & 63] + LETTERS[three & 63];
  }
  return text.slice(0, Math.ceil((bytes.length * 4) / 3));
}

/** Bytes of an unpadded base64url text in its one canonical form, or undefined if it is none. */
export function fromBase64Url(text: string): Uint8Array | undefined {
  if (text.length % 4 === 1) return undefined;
  const bytes = new Uint8Array((text.length * 3) >> 2);
  let at = 0;
  let buffer = 0;
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const six = SIX_BITS[text.charCodeAt(i)];
    if (six === undefined) return undefined;
    buffer = ((buffer << 6) | six) & 0xffff;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes[at++] = buffer >> count;
  }
  // Bits beyond the last byte would be a second form of it.
  return (buffer & ((1 << count) - 1)) === 0 ? bytes : undefined;
}
