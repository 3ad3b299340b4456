import { seededRandom } from "../../src/base/random.ts";

/** A prime, so that bytes of another place or another stream never look right for long. */
const PERIOD = 65_521;
const LONGEST = 65_536;
const BYTES = seededRandom(1).fill(new Uint8Array(PERIOD + LONGEST));
BYTES.copyWithin(PERIOD, 0, LONGEST);

/** An endless stream of known bytes, so that a reader can judge each one. `id` tells streams apart. */
export class Pattern {
  readonly #start: number;

  constructor(id: number) {
    this.#start = id * 7919;
  }

  /** `length` bytes from `position` on, at most 64 KiB. */
  slice(position: number, length: number): Uint8Array {
    const at = (this.#start + position) % PERIOD;
    return BYTES.slice(at, at + length);
  }

  /** Whether `chunk` is what stands at `position`. */
  matches(chunk: Uint8Array, position: number): boolean {
    for (let done = 0; done < chunk.length; done += LONGEST) {
      const part = chunk.subarray(done, done + LONGEST);
      const at = (this.#start + position + done) % PERIOD;
      if (Buffer.compare(part, BYTES.subarray(at, at + part.length)) !== 0) return false;
    }
    return true;
  }
}
