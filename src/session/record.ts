import type { ByteQueue } from "./byte-queue.ts";
import type { CipherState } from "./cipher-state.ts";

/** Records: length (2 bytes, big-endian), ciphertext, tag. The tag counts in the length. */

const LENGTH_BYTES = 2;
const TAG_LENGTH = 16;

/** One less than Noise allows (Noise §3), so that a full record is 64 KiB on the wire, as reads often are. */
const MAX_LENGTH = 0xfffe;

/** The most one record can carry. */
export const MAX_PLAINTEXT = MAX_LENGTH - TAG_LENGTH;

/** Holds one record that came in pieces, for the moment it takes to decrypt it. */
const joined = new Uint8Array(MAX_LENGTH);

/** A record as it goes over the wire, in a new array. */
export function sealRecord(cipher: CipherState, plaintext: Uint8Array): Uint8Array {
  const record = cipher.sealRecord(plaintext, LENGTH_BYTES);
  const length = record.length - LENGTH_BYTES;
  record[0] = length >> 8;
  record[1] = length & 0xff;
  return record;
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
