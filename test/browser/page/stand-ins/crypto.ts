// What tests use of `node:crypto`.
import { crypto } from "#platform";
import { concat, toHex } from "../../../../src/base/bytes.ts";

/** A SHA-256. */
export function createHash(_algorithm: "sha256") {
  const chunks: Uint8Array[] = [];
  const hash = {
    update(chunk: Uint8Array) {
      chunks.push(chunk);
      return hash;
    },
    digest: (_encoding: "hex") => toHex(crypto.sha256(concat(chunks))),
  };
  return hash;
}
