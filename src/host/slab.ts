/** Copies up to this size share slabs (chosen: an array with memory of its own costs as much as copying so much). */
const SMALL = 1024;
/** What a copy that lives long holds on to at most (chosen). */
const SLAB = 8192;

let slab = new Uint8Array(0);
let used = 0;

/** The bytes of `chunk` in memory that its owner does not have. */
export function copy(chunk: Uint8Array): Uint8Array {
  const { length } = chunk;
  if (length > SMALL) return new Uint8Array(chunk);
  if (used + length > slab.length) {
    slab = new Uint8Array(SLAB);
    used = 0;
  }
  const copied = slab.subarray(used, used + length);
  copied.set(chunk);
  used += length;
  return copied;
}
