// What tests use of `node:zlib`, on what a page has of it.
import { Duplex } from "#platform";

function through(pair: { readonly readable: ReadableStream; readonly writable: WritableStream }): Duplex {
  return (Duplex as unknown as { from(pair: unknown): Duplex }).from(pair);
}

/** Compresses. */
export const createGzip = (): Duplex => through(new CompressionStream("gzip"));

/** The reverse. */
export const createGunzip = (): Duplex => through(new DecompressionStream("gzip"));
