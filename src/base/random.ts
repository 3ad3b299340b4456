import type { Random } from "../contract/runtime.ts";

/** A repeatable source of randomness for simulations (sfc32). Never for keys. */
export interface SeededRandom extends Random {
  /** 0 ≤ x < 1. */
  next(): number;
  /** An integer from 0 to `below` - 1. */
  integer(below: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
}

/** The same seed gives the same sequence, on every machine. */
export function seededRandom(seed: number): SeededRandom {
  let a = seed | 0;
  let b = Math.floor(seed / 2 ** 32) | 0;
  let c = 0x9e3779b9;
  let counter = 1;

  function next32(): number {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return t >>> 0;
  }
  for (let i = 0; i < 12; i++) next32();

  const random: SeededRandom = {
    next: () => next32() / 2 ** 32,
    integer: (below) => Math.floor((next32() / 2 ** 32) * below),
    chance: (probability) => random.next() < probability,
    fill(bytes) {
      for (let i = 0; i < bytes.length; i++) bytes[i] = next32() & 0xff;
      return bytes;
    },
  };
  return random;
}

/** A 16-bit number from any source. */
export function random16(random: Random): number {
  const [high, low] = random.fill(new Uint8Array(2));
  return (high! << 8) | low!;
}
