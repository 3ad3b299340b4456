import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { describe, it } from "node:test";
import { concat, fromHex, toHex } from "../../../src/base/bytes.ts";
import { seededRandom } from "../../../src/base/random.ts";
import type { Aead, CipherName, Crypto } from "../../../src/contract/crypto.ts";
import { nobleCrypto } from "../../../src/platform/noble-crypto.ts";
import { importSecretFast, importSecretPortably, nodeCrypto } from "../../../src/platform/node-crypto.ts";
import { forEachSeed } from "../../kit/seeds.ts";

const PROVIDERS: Readonly<Record<string, Crypto>> = { node: nodeCrypto, noble: nobleCrypto };
const CIPHERS: readonly CipherName[] = ["AESGCM", "ChaChaPoly"];
const NONE = new Uint8Array(0);

function bytes(hex: string): Uint8Array {
  return fromHex(hex)!;
}

/** RFC 7748 §6.1. */
const X25519 = {
  secret: bytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"),
  publicKey: "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
  remote: bytes("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"),
  shared: "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
};

/** Points whose multiples are all zero (RFC 7748 §6.1, RFC 7748 §7). */
const LOW_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/** RFC 8439 §2.8.2, and test case 16 of the GCM specification. */
const AEADS = [
  {
    cipher: "ChaChaPoly",
    key: bytes("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"),
    nonce: bytes("070000004041424344454647"),
    ad: bytes("50515253c0c1c2c3c4c5c6c7"),
    plaintext: new TextEncoder().encode(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    ),
    sealed:
      "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b" +
      "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc" +
      "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691",
  },
  {
    cipher: "AESGCM",
    key: bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"),
    nonce: bytes("cafebabefacedbaddecaf888"),
    ad: bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
    plaintext: bytes(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525" +
        "b16aedf5aa0de657ba637b39",
    ),
    sealed:
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838" +
      "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
  },
] as const;

/** What an AEAD seals, in a new array. */
function seal(aead: Aead, nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(plaintext.length + 16);
  aead.seal(nonce, ad, plaintext, sealed, 0);
  return sealed;
}

for (const [name, crypto] of Object.entries(PROVIDERS)) {
  describe(`the ${name} crypto`, () => {
    it("agrees as RFC 7748 says", () => {
      const keys = crypto.keyPair(X25519.secret);
      assert.equal(toHex(keys.publicKey), X25519.publicKey);
      assert.equal(toHex(keys.agree(X25519.remote)!), X25519.shared);
    });

    it("agrees with no key of low order or of another length", () => {
      const keys = crypto.keyPair(X25519.secret);
      for (const hex of LOW_ORDER) assert.equal(keys.agree(bytes(hex)), undefined, hex);
      for (const length of [0, 31, 33, 64]) {
        assert.equal(keys.agree(new Uint8Array(length).fill(9)), undefined, `${length} bytes`);
      }
    });

    it("does not keep the secret it was given", () => {
      const secret = Uint8Array.from(X25519.secret);
      const keys = crypto.keyPair(secret);
      secret.fill(0);
      assert.equal(toHex(keys.agree(X25519.remote)!), X25519.shared);
    });

    for (const { cipher, key, nonce, ad, plaintext, sealed } of AEADS) {
      it(`seals and opens the published ${cipher} vector`, () => {
        const aead = crypto.aead(cipher, key);
        assert.equal(toHex(seal(aead, nonce, ad, plaintext)), sealed);
        assert.deepEqual(Uint8Array.from(aead.open(nonce, ad, bytes(sealed))!), Uint8Array.from(plaintext));
      });

      it(`opens nothing that was changed (${cipher})`, () => {
        const aead = crypto.aead(cipher, key);
        const good = bytes(sealed);
        for (let at = 0; at < good.length; at++) {
          const bad = Uint8Array.from(good);
          bad[at]! ^= 1 << (at % 8);
          assert.equal(aead.open(nonce, ad, bad), undefined, `byte ${at}`);
        }
        for (let length = 0; length < good.length; length++) {
          assert.equal(aead.open(nonce, ad, good.subarray(0, length)), undefined, `${length} bytes`);
        }
        assert.equal(aead.open(nonce, NONE, good), undefined);
        assert.equal(aead.open(new Uint8Array(12), ad, good), undefined);
      });
    }

    it("hashes as RFC 2202 and RFC 1321 say", () => {
      const text = new TextEncoder();
      const mac = crypto.hmacSha1(text.encode("Jefe"), text.encode("what do ya want for nothing?"));
      assert.equal(toHex(mac), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
      assert.equal(toHex(crypto.md5(text.encode("message digest"))), "f96b697d7cb7938d525a2f31aaf161d0");
    });

    it("seals to where it is told, and touches nothing else", () => {
      for (const cipher of CIPHERS) {
        const aead = crypto.aead(cipher, new Uint8Array(32));
        const [nonce, plaintext] = [new Uint8Array(12), new Uint8Array(100).fill(5)];
        const out = new Uint8Array(200).fill(7);
        aead.seal(nonce, NONE, plaintext, out, 2);
        assert.deepEqual(out.subarray(2, 118), seal(aead, nonce, NONE, plaintext));
        assert.ok([...out.subarray(0, 2), ...out.subarray(118)].every((byte) => byte === 7));
        assert.ok(plaintext.every((byte) => byte === 5));
      }
    });
  });
}

describe("the two cryptos", () => {
  it("understand each other", () =>
    forEachSeed(5, (seed) => {
      const random = seededRandom(seed);
      const fresh = (length: number): Uint8Array => random.fill(new Uint8Array(length));
      const [secret, other, message] = [fresh(32), fresh(32), fresh(random.integer(2000))];
      const pair = [nodeCrypto.keyPair(secret), nobleCrypto.keyPair(secret)] as const;
      const remote = nodeCrypto.keyPair(other).publicKey;
      assert.equal(toHex(pair[0].publicKey), toHex(pair[1].publicKey));
      assert.equal(toHex(pair[0].agree(remote)!), toHex(pair[1].agree(Uint8Array.from(remote))!));
      assert.equal(toHex(nodeCrypto.sha256(message)), toHex(nobleCrypto.sha256(message)));
      assert.equal(
        toHex(nodeCrypto.hmacSha256(other, message)),
        toHex(nobleCrypto.hmacSha256(other, message)),
      );
      for (const cipher of CIPHERS) {
        const [nonce, ad] = [fresh(12), fresh(20)];
        const sealed = seal(nodeCrypto.aead(cipher, other), nonce, ad, message);
        assert.equal(toHex(nobleCrypto.aead(cipher, other).open(nonce, ad, sealed)!), toHex(message));
        assert.equal(toHex(seal(nobleCrypto.aead(cipher, other), nonce, ad, message)), toHex(sealed));
      }
    }));

  it("hash alike whatever the length, in one piece or two", () => {
    const data = seededRandom(1).fill(new Uint8Array(400));
    for (const length of [0, 1, 32, 63, 64, 65, 128, 191, 192, 193, 400]) {
      const part = data.subarray(0, length);
      const hashed = toHex(nobleCrypto.sha256(part));
      for (const crypto of [nodeCrypto, nobleCrypto]) {
        assert.equal(toHex(crypto.sha256(part)), hashed, `${length} bytes`);
        const middle = length >> 1;
        assert.equal(toHex(crypto.sha256(part.subarray(0, middle), part.subarray(middle))), hashed);
      }
      const key = data.subarray(0, length >> 1);
      assert.equal(toHex(nodeCrypto.hmacSha256(key, part)), toHex(nobleCrypto.hmacSha256(key, part)));
    }
  });
});

describe("importing a secret into node:crypto", () => {
  it("gives the same key both ways, where Node has both", (test) => {
    const exported = (key: ReturnType<typeof importSecretFast>): unknown =>
      createPublicKey(key).export({ format: "jwk" }).x;
    let fast: ReturnType<typeof importSecretFast>;
    try {
      fast = importSecretFast(X25519.secret);
    } catch {
      test.skip("this Node insists on the public half");
      return;
    }
    const portable = exported(importSecretPortably(X25519.secret));
    assert.equal(exported(fast), portable);
    assert.equal(portable, Buffer.from(X25519.publicKey, "hex").toString("base64url"));
  });

  it("works with secrets of every kind", () => {
    const secrets = [new Uint8Array(32), new Uint8Array(32).fill(255), concat([X25519.secret])];
    for (const secret of secrets) {
      assert.equal(toHex(nodeCrypto.keyPair(secret).publicKey), toHex(nobleCrypto.keyPair(secret).publicKey));
    }
  });
});
