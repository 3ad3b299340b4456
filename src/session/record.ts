import type { ByteQueue } from "./byte-queue.ts";
import { type CipherState, TAG_LENGTH } from "./cipher-state.ts";

/** Records: length (2 bytes, big-endian), ciphertext, tag. The tag counts in the length. */

const LENGTH_BYTES = 2;
/** One less than Noise allows (Noise §3), so that a full record is 64 KiB on the wire, as reads often are. */
const MAX_LENGTH = 0xfffe;

/** Bytes of the longest record, length included. */
const FULL = LENGTH_BYTES + MAX_LENGTH;

/** The most one record can carry. */
export const MAX_PLAINTEXT = MAX_LENGTH - TAG_LENGTH;

/** Holds one record that came in pieces, for the moment it takes to decrypt it. */
const joined = new Uint8Array(MAX_LENGTH);

/** Chosen: smaller records have arrays of their own size. */
const WORTH_RECYCLING = 1 << 14;

/** Chosen: more than a few are needed only while as many channels are full. */
const MAX_SPARE = 8;

/** Arrays for full records. Using them again, still in the processor's cache, saves a tenth of a record's cost (m). */
const spare: Uint8Array[] = [];

/** A record as it goes over the wire. `recycleRecord` takes the array back when nobody reads it any more. */
export function sealRecord(cipher: CipherState, plaintext: Uint8Array): Uint8Array {
  const length = plaintext.length + TAG_LENGTH;
  const recycled = length >= WORTH_RECYCLING;
  const array = recycled ? (spare.pop() ?? new Uint8Array(FULL)) : new Uint8Array(LENGTH_BYTES + length);
  array[0] = length >> 8;
  array[1] = length & 0xff;
  cipher.sealRecord(plaintext, array, LENGTH_BYTES);
  return recycled ? array.subarray(0, LENGTH_BYTES + length) : array;
}

/** For records of `sealRecord` only, once each. */
export function recycleRecord(record: Uint8Array): void {
  if (record.buffer.byteLength !== FULL || spare.length === MAX_SPARE) return;
  spare.push(new Uint8Array(record.buffer));
}

/** What `takeRecord` finds at the front of a queue. */
export type TakenRecord = Uint8Array | "incomplete" | "forged";

/** The plaintext of the next record, in an array of its own. After a forged one nothing can be read. */
export function takeRecord(queue: ByteQueue, cipher: CipherState): TakenRecord {
  const length = queue.peek16();
  if (length === undefined) return "incomplete";
  if (length < TAG_LENGTH || length > MAX_LENGTH) return "forged";
  if (queue.length < LENGTH_BYTES + length) return "incomplete";
  queue.take(LENGTH_BYTES, joined);
  return cipher.openRecord(queue.take(length, joined)) ?? "forged";
}
