import { EMPTY } from "../base/bytes.ts";
import { type Attribute, findValue, type Message, type MessageClass } from "./message.ts";

/** An attribute that waits for its message: some are written with the transaction id. */
export type AttributeDraft = (transactionId: Uint8Array) => Attribute;

/** How the value of an attribute is written and read. */
export interface AttributeCodec<Value> {
  /** Throws on a value that the caller should not have given. */
  encode(value: Value, transactionId: Uint8Array): Uint8Array;
  /** Undefined for bytes that are no such value. Never throws. */
  decode(bytes: Uint8Array, transactionId: Uint8Array): Value | undefined;
}

/** One attribute of the registry: `SOFTWARE.of("1tp")` goes into a message, `SOFTWARE.in(message)` comes out. */
export class AttributeKind<Value> {
  readonly type: number;
  readonly #codec: AttributeCodec<Value>;

  constructor(type: number, codec: AttributeCodec<Value>) {
    this.type = type;
    this.#codec = codec;
  }

  of(value: Value): AttributeDraft {
    return (transactionId) => ({ type: this.type, value: this.#codec.encode(value, transactionId) });
  }

  /** The value of the first one; undefined if there is none or it is malformed. */
  in(message: Message): Value | undefined {
    const value = findValue(message, this.type);
    return value && this.#codec.decode(value, message.transactionId);
  }

  /** Whether there is one, well-formed or not. */
  isIn(message: Message): boolean {
    return findValue(message, this.type) !== undefined;
  }
}

/** A message of its parts. */
export function makeMessage(
  kind: MessageClass,
  method: number,
  transactionId: Uint8Array,
  drafts: readonly AttributeDraft[] = [],
): Message {
  return { class: kind, method, transactionId, attributes: drafts.map((draft) => draft(transactionId)) };
}

/** An attribute of 32 bits. */
export function uint32(type: number): AttributeKind<number> {
  return new AttributeKind(type, {
    encode(value) {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, value);
      return bytes;
    },
    decode(bytes) {
      return bytes.length === 4 ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) : undefined;
    },
  });
}

/** An attribute of bytes, as many as `fits` allows. */
export function opaque(
  type: number,
  fits: (length: number) => boolean = () => true,
): AttributeKind<Uint8Array> {
  return new AttributeKind(type, {
    encode: (value) => value,
    decode: (bytes) => (fits(bytes.length) ? bytes : undefined),
  });
}

/** An attribute without a value: `in` gives true or undefined. */
export function flag(type: number): AttributeKind<true> {
  return new AttributeKind<true>(type, { encode: () => EMPTY, decode: () => true });
}
