import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ByteQueue } from "../../../src/session/byte-queue.ts";
import { frameAlert, frameMessage, helloByte, parseHello, takeInput } from "../../../src/session/hello.ts";
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
