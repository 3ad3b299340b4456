import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../src/base/bytes.ts";
import { seededRandom } from "../../src/base/random.ts";
import { nodeCrypto } from "../../src/platform/node-crypto.ts";
import { Lab } from "./kit/lab.ts";

const lab = Lab.forThisFile();
const random = seededRandom(18);
const bytes = (length: number): Uint8Array => random.fill(new Uint8Array(length));

/** Lengths around the blocks of ciphers and hashes, and a record. */
const LENGTHS = [0, 1, 15, 16, 17, 55, 63, 64, 65, 127, 129, 16_384, 65_519];

test("noble in a page agrees on the secrets that OpenSSL agrees on", async () => {
  const tab = await lab.open("crypto");
  for (let i = 0; i < 20; i++) {
    const [ours, theirs] = [bytes(32), bytes(32)];
    const remote = nodeCrypto.keyPair(theirs).publicKey;
    const keys = nodeCrypto.keyPair(ours);
    const expected = [toHex(keys.publicKey), toHex(keys.agree(remote)!)];
    assert.deepEqual(await tab.call("agree", toHex(ours), toHex(remote)), expected);
  }
  assert.equal((await tab.call<unknown[]>("agree", toHex(bytes(32)), "00".repeat(32)))[1], undefined);
});

test("noble in a page hashes as OpenSSL does", async () => {
  const tab = await lab.open("crypto");
  for (const length of LENGTHS) {
    const [key, data] = [bytes(length % 200), bytes(length)];
    const { sha256, hmacSha256, hmacSha1, md5 } = nodeCrypto;
    const expected = [sha256(data), hmacSha256(key, data), hmacSha1(key, data), md5(data)].map(toHex);
    assert.deepEqual(await tab.call("hashes", toHex(key), toHex(data)), expected);
  }
});

test("what noble seals in a page OpenSSL opens, and the other way round", async () => {
  const tab = await lab.open("crypto");
  for (const cipher of ["AESGCM", "ChaChaPoly"] as const) {
    for (const length of LENGTHS) {
      const [key, nonce, ad, plaintext] = [bytes(32), bytes(12), bytes(length % 70), bytes(length)];
      const aead = nodeCrypto.aead(cipher, key);
      const sealed = new Uint8Array(length + 16);
      aead.seal(nonce, ad, plaintext, sealed, 0);
      const secret = [cipher, toHex(key), toHex(nonce), toHex(ad)];
      assert.equal(await tab.call("seal", ...secret, toHex(plaintext)), toHex(sealed));
      assert.equal(await tab.call("open", ...secret, toHex(sealed)), toHex(plaintext));
      sealed[length]! ^= 1;
      assert.equal(await tab.call("open", ...secret, toHex(sealed)), undefined);
    }
  }
});

test("a page has as many random bytes at once as are asked for", async () => {
  const tab = await lab.open("crypto");
  assert.ok((await tab.call<number>("differentRandomBytes", 1_000_000)) > 200);
});
