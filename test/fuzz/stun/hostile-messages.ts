import { readFileSync } from "node:fs";
import fc from "fast-check";
import { concat, fromHex } from "../../../src/base/bytes.ts";
import {
  ALTERNATE_SERVER,
  MAPPED_ADDRESS,
  OTHER_ADDRESS,
  RESPONSE_ORIGIN,
  XOR_MAPPED_ADDRESS,
} from "../../../src/stun/addresses.ts";
import { CHANGE_REQUEST, PADDING, RESPONSE_PORT } from "../../../src/stun/behaviour.ts";
import { PRIORITY, USE_CANDIDATE } from "../../../src/stun/checks.ts";
import { ERROR_CODE, UNKNOWN_ATTRIBUTES } from "../../../src/stun/errors.ts";
import { FINGERPRINT_TYPE } from "../../../src/stun/fingerprint.ts";
import {
  encodeMessage,
  INTEGRITY_SHA256_TYPE,
  INTEGRITY_TYPE,
  type Message,
} from "../../../src/stun/message.ts";
import { PASSWORD_ALGORITHM, PASSWORD_ALGORITHMS, USERHASH } from "../../../src/stun/secrets.ts";
import { NONCE, REALM, SOFTWARE, USERNAME } from "../../../src/stun/texts.ts";

/** The attributes that hold an address. */
export const ADDRESSES = [
  MAPPED_ADDRESS,
  XOR_MAPPED_ADDRESS,
  ALTERNATE_SERVER,
  RESPONSE_ORIGIN,
  OTHER_ADDRESS,
];
const TEXTS = [USERNAME, REALM, NONCE, SOFTWARE];
const OTHERS = [
  ERROR_CODE,
  UNKNOWN_ATTRIBUTES,
  CHANGE_REQUEST,
  PADDING,
  RESPONSE_PORT,
  PRIORITY,
  USE_CANDIDATE,
  USERHASH,
  PASSWORD_ALGORITHM,
  PASSWORD_ALGORITHMS,
];
/** Every attribute with a value. */
export const KINDS = [...ADDRESSES, ...TEXTS, ...OTHERS];
const SEALS = [INTEGRITY_TYPE, INTEGRITY_SHA256_TYPE, FINGERPRINT_TYPE];

const VECTORS: readonly Uint8Array[] = JSON.parse(
  readFileSync("test/vectors/rfc5769.json", "utf8"),
).vectors.map(({ bytes }: { bytes: string[] }) => fromHex(bytes.join("")));

/** Any transaction id. */
export const transactionId = fc.uint8Array({ minLength: 12, maxLength: 12 });
const type = fc
  .oneof(fc.constantFrom(...KINDS.map((kind) => kind.type)), fc.integer({ min: 0, max: 0xffff }))
  .filter((number) => !SEALS.includes(number));
const attribute = fc.record({ type, value: fc.uint8Array({ maxLength: 40 }) }, { noNullPrototype: true });
/** Any message without integrity and fingerprint. */
export const message: fc.Arbitrary<Message> = fc.record(
  {
    class: fc.constantFrom("request", "indication", "success", "error"),
    method: fc.integer({ min: 0, max: 0xfff }),
    transactionId,
    attributes: fc.array(attribute, { maxLength: 12 }),
  },
  { noNullPrototype: true },
);

/** Bytes changed, cut, doubled or put in. */
export const mutation = fc.record({
  kind: fc.constantFrom("set", "flip", "cut", "insert", "repeat"),
  at: fc.nat(400),
  byte: fc.integer({ min: 0, max: 255 }),
});

function mutate(
  bytes: Uint8Array,
  { kind, at, byte }: { kind: string; at: number; byte: number },
): Uint8Array {
  const place = bytes.length === 0 ? 0 : at % bytes.length;
  switch (kind) {
    case "set":
      return bytes.map((old, i) => (i === place ? byte : old));
    case "flip":
      return bytes.map((old, i) => (i === place ? old ^ (1 << (byte % 8)) : old));
    case "cut":
      return concat([bytes.subarray(0, place), bytes.subarray(place + (byte % 9))]);
    case "insert":
      return concat([bytes.subarray(0, place), new Uint8Array(byte % 9).fill(byte), bytes.subarray(place)]);
    default:
      return concat([bytes, bytes.subarray(place)]);
  }
}

/** Mutations mostly break the length, which hides what lies behind it: half of them get it right again. */
export const hostile = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...VECTORS) },
      { weight: 2, arbitrary: message.map(encodeMessage) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    ),
    fc.array(mutation, { maxLength: 6 }),
    fc.boolean(),
  )
  .map(([bytes, mutations, mend]) => {
    const changed = mutations.reduce(mutate, bytes);
    if (!mend || changed.length < 20) return changed;
    const whole = changed.slice(0, changed.length - (changed.length % 4));
    whole[0]! &= 0x3f;
    whole.set([(whole.length - 20) >> 8, whole.length - 20], 2);
    whole.set([0x21, 0x12, 0xa4, 0x42], 4);
    return whole;
  });
