// A page has no `node:zlib`; the scenario that wants it is not played.

/** Throws. */
export function createGzip(): never {
  throw new Error("a page has no zlib");
}

export { createGzip as createGunzip };
