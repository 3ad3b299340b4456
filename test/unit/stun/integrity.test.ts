import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeMessage } from "../../../src/stun/attribute.ts";
import { checkIntegrity, type IntegrityAlgorithm } from "../../../src/stun/integrity.ts";
import { encodeMessage, INTEGRITY_SHA256_TYPE, INTEGRITY_TYPE } from "../../../src/stun/message.ts";
import { SOFTWARE } from "../../../src/stun/texts.ts";
import { crypto } from "./exchange.ts";

const KEY = new Uint8Array(32).fill(9);
const TYPES = { sha1: INTEGRITY_TYPE, sha256: INTEGRITY_SHA256_TYPE };
const BODY = makeMessage("request", 1, new Uint8Array(12), [SOFTWARE.of("x")]);

/** A message sealed by the right MAC, cut to so many bytes. */
function sealedBy(algorithm: IntegrityAlgorithm, size: number): Uint8Array {
  const seal = { type: TYPES[algorithm], value: new Uint8Array(size) };
  const bytes = encodeMessage({ ...BODY, attributes: [...BODY.attributes, seal] });
  const at = encodeMessage(BODY).length;
  const covered = bytes.subarray(0, at);
  const mac = algorithm === "sha1" ? crypto.hmacSha1(KEY, covered) : crypto.hmacSha256(KEY, covered);
  bytes.set(mac.subarray(0, size), at + 4);
  return bytes;
}

function accepted(algorithm: IntegrityAlgorithm): number[] {
  const sizes = Array.from({ length: 41 }, (_, size) => size);
  return sizes.filter((size) => checkIntegrity(sealedBy(algorithm, size), { crypto, algorithm, key: KEY }));
}

describe("the integrity of a message", () => {
  it("has 20 bytes by SHA-1, and never less", () => {
    assert.deepEqual(accepted("sha1"), [20]);
  });

  it("has 32 bytes by SHA-256, or is cut to a multiple of 4 not below 16 (RFC 8489 §14.6)", () => {
    assert.deepEqual(accepted("sha256"), [16, 20, 24, 28, 32]);
  });
});
