import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toHex } from "../../../src/base/bytes.ts";
import type { CipherName } from "../../../src/contract/crypto.ts";
import type { Random } from "../../../src/contract/runtime.ts";
import { nodeCrypto as crypto } from "../../../src/platform/node-crypto.ts";
import { ByteQueue } from "../../../src/session/byte-queue.ts";
import { frameAlert, frameMessage, helloByte, parseHello, takeInput } from "../../../src/session/hello.ts";
import { Identity } from "../../../src/session/identity.ts";
import { Initiator } from "../../../src/session/initiator.ts";
import { decodePayload, encodePayload } from "../../../src/session/payload.ts";

const id = Uint8Array.from({ length: 16 }, (_, i) => i);

function queueOf(...bytes: readonly number[]): ByteQueue {
  const queue = new ByteQueue();
  queue.push(Uint8Array.from(bytes));
  return queue;
}

describe("the hello byte", () => {
  it("names version, pattern and cipher", () => {
    assert.equal(helloByte({ pattern: "IK", cipher: "AESGCM" }), 0x10);
    assert.equal(helloByte({ pattern: "IK", cipher: "ChaChaPoly" }), 0x11);
    assert.equal(helloByte({ pattern: "XX", cipher: "AESGCM" }), 0x14);
    assert.equal(helloByte({ pattern: "XX", cipher: "ChaChaPoly" }), 0x15);
  });

  it("has four values that mean something", () => {
    const known = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => parseHello(byte));
    assert.deepEqual(known, [0x10, 0x11, 0x14, 0x15]);
    for (const byte of known) assert.equal(helloByte(parseHello(byte)!), byte);
  });
});

describe("handshake messages", () => {
  it("have their length in front, the first one the hello byte before that", () => {
    const message = Uint8Array.of(7, 8);
    assert.deepEqual([...frameMessage(message)], [0, 2, 7, 8]);
    assert.deepEqual([...frameMessage(message, { pattern: "XX", cipher: "ChaChaPoly" })], [0x15, 0, 2, 7, 8]);
    assert.deepEqual([...frameAlert(2)], [0, 0, 2]);
  });

  it("are taken when they are there as a whole", () => {
    const queue = queueOf(0);
    for (const byte of [2, 7]) {
      assert.equal(takeInput(queue), undefined);
      queue.push(Uint8Array.of(byte));
    }
    assert.equal(takeInput(queue), undefined);
    queue.push(Uint8Array.of(8, 99));
    const input = takeInput(queue);
    assert.deepEqual(input?.type === "message" && [...input.message], [7, 8]);
    assert.equal(queue.length, 1);
  });

  it("may be alerts", () => {
    assert.equal(takeInput(queueOf(0, 0)), undefined);
    assert.deepEqual(takeInput(queueOf(0, 0, 2)), { type: "alert", alert: 2 });
  });

  it("of more than 2048 bytes are not waited for", () => {
    assert.equal(takeInput(queueOf(8, 0)), undefined);
    assert.deepEqual(takeInput(queueOf(8, 1)), { type: "oversized" });
  });
});

describe("first flights", () => {
  const secret = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
  const server = new Identity(crypto, secret(2)).publicKey;
  const same: Random = { fill: (bytes) => bytes.fill(3) };
  /** SHA-256 of the flight. */
  const expected = {
    "IK AESGCM": "ad65a95b2419efe066e8fe24d30f3ab976c39be4996f1129aa2e3a30cccf7c54",
    "IK ChaChaPoly": "5f259fd0f96edf32d89de3b5ea4e05000498c54aa2088046b494b16d65e4ebc7",
    "XX AESGCM": "28be727b3ce0eb070016870a7191e335966932be536bbbcb9a6d7f419f999fbe",
    "XX ChaChaPoly": "928884432d94907636f65ad9d5ce9c0b6fbe6710e21bcd8067912ba63910539b",
  };
  for (const [name, hash] of Object.entries(expected)) {
    it(`of ${name} do not change`, () => {
      const [pattern, cipher] = name.split(" ") as ["IK" | "XX", CipherName];
      const flight = new Initiator({
        crypto,
        random: same,
        identity: new Identity(crypto, secret(1)),
        remotePublicKey: pattern === "IK" ? server : undefined,
        allowUnknownPeer: true,
        cipher,
      }).firstFlight();
      assert.equal(flight.length, 118);
      assert.equal(toHex(crypto.sha256(flight)), hash);
    });
  }
});

describe("handshake payloads", () => {
  it("are read as they were written", () => {
    for (const payload of [{}, { sessionId: id }, { refused: true }, { sessionId: id, refused: true }]) {
      assert.deepEqual(decodePayload(encodePayload(payload)), payload);
      for (let padTo = 0; padTo < 60; padTo++) {
        const padded = encodePayload(payload, padTo);
        assert.deepEqual(decodePayload(padded), payload);
        const least = encodePayload(payload).length;
        assert.equal(padded.length, padTo >= least + 3 ? padTo : least);
      }
    }
  });

  it("have bytes that do not change", () => {
    assert.deepEqual([...encodePayload({ sessionId: id })], [1, 0, 16, ...id]);
    assert.deepEqual([...encodePayload({ refused: true }, 8)], [2, 0, 0, 0, 0, 2, 0, 0]);
  });

  it("may hold what later versions add", () => {
    assert.deepEqual(decodePayload(Uint8Array.of(200, 0, 2, 1, 2, 2, 0, 0)), { refused: true });
  });

  it("are none when an item is cut off or has a wrong length", () => {
    for (const bytes of [
      [1],
      [1, 0],
      [200, 0, 2, 1],
      [200, 1, 0, 1],
      [1, 0, 15, ...id.subarray(1)],
      [1, 0, 0],
    ]) {
      assert.equal(decodePayload(Uint8Array.from(bytes)), undefined, `${bytes}`);
    }
  });
});
