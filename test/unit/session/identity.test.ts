import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { fromHex, toBase64Url, toHex } from "../../../src/base/bytes.ts";
import { seededRandom } from "../../../src/base/random.ts";
import type { Crypto } from "../../../src/contract/crypto.ts";
import { nobleCrypto } from "../../../src/platform/noble-crypto.ts";
import { nodeCrypto } from "../../../src/platform/node-crypto.ts";
import {
  createIdentity,
  fingerprint,
  Identity,
  parseIdentity,
  parseKey,
} from "../../../src/session/identity.ts";

/** RFC 7748 §6.1. */
const SECRET = fromHex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")!;
const PUBLIC = fromHex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")!;

describe("an identity", () => {
  const identity = new Identity(nodeCrypto, SECRET);

  it("has its public key as connectionInfo has it", () => {
    assert.equal(identity.publicKey, toBase64Url(PUBLIC));
    assert.deepEqual(parseKey(identity.publicKey), PUBLIC);
  });

  it("comes back from its text, with either crypto", () => {
    const text = identity.exportSecret();
    assert.match(text, /^1tp-secret-[\w-]{43}$/);
    for (const crypto of [nodeCrypto, nobleCrypto]) {
      const read = parseIdentity(crypto, `${text}\n`);
      assert.equal(read?.publicKey, identity.publicKey);
      assert.equal(read.exportSecret(), text);
    }
  });

  it("does not come from other texts", () => {
    const text = identity.exportSecret();
    const others = [
      "",
      identity.publicKey,
      text.slice(0, -1),
      `${text}A`,
      text.replace("1tp", "2tp"),
      "1tp-secret-",
    ];
    for (const other of others) assert.equal(parseIdentity(nodeCrypto, other), undefined, other);
  });

  it("shows its secret to nobody who does not ask for it by name", () => {
    const secret = identity.exportSecret().slice("1tp-secret-".length);
    for (const shown of [
      JSON.stringify(identity),
      inspect(identity, { depth: 9, showHidden: true }),
      `${identity}`,
    ]) {
      assert.ok(!shown.includes(secret) && !shown.includes(toHex(SECRET)), shown);
    }
    assert.deepEqual(JSON.parse(JSON.stringify(identity)), { publicKey: identity.publicKey });
  });

  it("is a fresh one each time", () => {
    const random = seededRandom(1);
    assert.notEqual(
      createIdentity(nodeCrypto, random).publicKey,
      createIdentity(nodeCrypto, random).publicKey,
    );
  });

  it("agrees with one peer after another, each as its key pair does", () => {
    const random = seededRandom(2);
    const peers = [1, 2, 3].map(() => createIdentity(nodeCrypto, random));
    for (const peer of [...peers, ...peers, peers[0]!, peers[0]!]) {
      const mine = identity.agreeWithPeer(peer.keyPair.publicKey);
      assert.equal(toHex(mine!), toHex(peer.agreeWithPeer(identity.keyPair.publicKey)!));
    }
  });

  it("computes what it has agreed with its latest 128 peers but once", () => {
    let computed = 0;
    const counting: Crypto = {
      ...nodeCrypto,
      keyPair: (secret) => {
        const pair = nodeCrypto.keyPair(secret);
        const agree = (key: Uint8Array): Uint8Array | undefined => {
          computed++;
          return pair.agree(key);
        };
        return { publicKey: pair.publicKey, agree };
      },
    };
    const counted = new Identity(counting, SECRET);
    const peer = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
    for (let i = 0; i < 3; i++) counted.agreeWithPeer(peer(9));
    assert.equal(computed, 1);
    for (let fill = 10; fill < 10 + 128; fill++) counted.agreeWithPeer(peer(fill));
    counted.agreeWithPeer(peer(137));
    assert.equal(computed, 129);
    counted.agreeWithPeer(peer(9));
    assert.equal(computed, 130);
    assert.equal(counted.agreeWithPeer(new Uint8Array(32)), undefined);
  });
});

describe("a fingerprint", () => {
  it("is short, readable and the same with either crypto", () => {
    const publicKey = toBase64Url(PUBLIC);
    const text = fingerprint(nodeCrypto, publicKey);
    assert.match(text, /^([a-z2-7]{4}-){5}[a-z2-7]{4}$/);
    assert.equal(fingerprint(nobleCrypto, publicKey), text);
  });

  it("is the first 120 bits of the hash in base 32", () => {
    const bits = [...nodeCrypto.sha256(PUBLIC)].map((byte) => byte.toString(2).padStart(8, "0")).join("");
    const letters = bits.slice(0, 120).match(/.{5}/g)!;
    const expected = letters
      .map((five) => "abcdefghijklmnopqrstuvwxyz234567"[Number.parseInt(five, 2)])
      .join("");
    assert.equal(fingerprint(nodeCrypto, toBase64Url(PUBLIC)).replaceAll("-", ""), expected);
  });
});
