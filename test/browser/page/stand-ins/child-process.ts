// A page has no processes; the tests that want one are not asked for.

/** Throws. */
export function spawn(): never {
  throw new Error("a page has no processes");
}
