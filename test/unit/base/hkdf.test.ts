import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import { hkdf } from "../../../src/base/hkdf.ts";
import { nobleCrypto } from "../../../src/platform/noble-crypto.ts";
import { nodeCrypto } from "../../../src/platform/node-crypto.ts";

/** A range of bytes, as RFC 5869 has its inputs. */
function range(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => from + i);
}

/** RFC 5869, appendix A.1 to A.3: those with SHA-256. */
const VECTORS = [
  {
    secret: new Uint8Array(22).fill(0x0b),
    salt: range(0, 13),
    info: range(0xf0, 10),
    length: 42,
    output: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  },
  {
    secret: range(0, 80),
    salt: range(0x60, 80),
    info: range(0xb0, 80),
    length: 82,
    output:
      "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09" +
      "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
  },
  {
    secret: new Uint8Array(22).fill(0x0b),
    salt: new Uint8Array(0),
    info: new Uint8Array(0),
    length: 42,
    output: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
  },
];

describe("hkdf", () => {
  for (const [name, crypto] of Object.entries({ node: nodeCrypto, noble: nobleCrypto })) {
    it(`repeats the vectors of RFC 5869 with ${name}`, () => {
      for (const { salt, secret, length, info, output } of VECTORS) {
        assert.equal(toHex(hkdf(crypto, salt, secret, length, info)), output);
      }
    });
  }

  it("takes the empty info for none", () => {
    const [salt, secret] = [range(0, 32), range(9, 32)];
    assert.deepEqual(hkdf(nodeCrypto, salt, secret, 64), hkdf(nodeCrypto, salt, secret, 64, range(0, 0)));
    assert.equal(fromHex(toHex(hkdf(nodeCrypto, salt, secret, 33)))?.length, 33);
  });
});
