import { seeds } from "./seeds.ts";

/** What `fc.assert` takes for `count` runs that are the same on every machine, or those of `SEED`. */
export function randomRuns(count: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: count, seed: seeds(1)[0]! };
}
