/*
 * A punch: 16 bytes, so that it is neither uTP nor STUN, whose headers have 20; nor is its first byte one that they, TURN
 * or DTLS begin with (RFC 7983, BEP 29).
 *
 *  0       4       8               16              24              32
 *  +---------------+---------------+---------------+---------------+
 *  | 0xff          | "1tp"                                         |
 *  +---------------+---------------+---------------+---------------+
 *  | kind          | zero                                          |
 *  +---------------+---------------+---------------+---------------+
 *  | token: random, repeated by the answer                         |
 *  |                                                               |
 *  +---------------+---------------+---------------+---------------+
 *
 * A probe is answered by whoever has a node at the address, with an answer of the same size to where it came from; an answer is
 * never answered. So nothing is amplified and nothing loops.
 */

/** Kinds of punches. */
export const PROBE = 0;
export const ANSWER = 1;

/** The size of a punch. */
export const PUNCH_SIZE = 16;

/** The size of a token. */
export const TOKEN_SIZE = 8;

const KIND = 4;
const TOKEN = 8;
const HEAD = [0xff, 0x31, 0x74, 0x70] as const;

/** The kind of a punch; undefined for what is none. */
export function punchKind(data: Uint8Array): typeof PROBE | typeof ANSWER | undefined {
  if (data.length !== PUNCH_SIZE || HEAD.some((byte, i) => data[i] !== byte)) return undefined;
  const kind = data[KIND];
  const zero = data[KIND + 1] === 0 && data[KIND + 2] === 0 && data[KIND + 3] === 0;
  return zero && (kind === PROBE || kind === ANSWER) ? kind : undefined;
}

/** The token of a punch. */
export function punchToken(data: Uint8Array): Uint8Array {
  return data.subarray(TOKEN);
}

/** Makes a punch, in an array of its own. */
export function makePunch(kind: typeof PROBE | typeof ANSWER, token: Uint8Array): Uint8Array {
  const data = new Uint8Array(PUNCH_SIZE);
  data.set(HEAD);
  data[KIND] = kind;
  data.set(token, TOKEN);
  return data;
}
