import { randomFillSync } from "node:crypto";
import type { Random } from "../contract/runtime.ts";

/** Numbers, ids and keys are this short; asking the system costs more than they do (chosen). */
const SMALL = 32;

const pool = new Uint8Array(1024);
let given = pool.length;

/** The system's randomness, drawn for many small requests at once. Bytes are wiped as they are given. */
export const nodeRandom: Random = {
  fill(bytes) {
    const { length } = bytes;
    if (length > SMALL) return randomFillSync(bytes);
    if (given + length > pool.length) {
      randomFillSync(pool);
      given = 0;
    }
    bytes.set(pool.subarray(given, given + length));
    pool.fill(0, given, given + length);
    given += length;
    return bytes;
  },
};
