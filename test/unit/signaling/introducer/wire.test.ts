import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  encodeBegin,
  encodeEnd,
  encodeFrame,
  encodeRelayedFrame,
  LaneReader,
} from "../../../../signaling/introducer/wire.ts";
import { encodeRelayed, KIND, MAX_RELAYED } from "../../../../signaling/registrar/relay-frame.ts";

const LONGEST = 40_000;

describe("the introducer's wire", () => {
  it("brings every text whole, in messages of at most 16 KiB", () => {
    for (const frame of [
      "",
      "x",
      "ü".repeat(8_191),
      "a".repeat(16_382),
      "a".repeat(16_383),
      "💡".repeat(10_000),
    ]) {
      const reader = new LaneReader(LONGEST);
      const messages = encodeFrame(7, frame);
      for (const message of messages) assert.ok(message.length <= 16_384);
      const read = messages.map((message) => reader.read(message));
      assert.deepEqual(read.pop(), { type: "frame", visit: 7, frame });
      assert.ok(read.every((message) => message === undefined));
    }
  });

  it("says how a visit begins and ends", () => {
    const reader = new LaneReader(LONGEST);
    assert.deepEqual(reader.read(encodeBegin(255)), { type: "begin", visit: 255 });
    const end = { type: "end", visit: 255, status: 1008, reason: "at most 5" };
    assert.deepEqual(reader.read(encodeEnd(255, 1008, "at most 5")), end);
  });

  it("brings what is relayed as it is, apart from the record that it came in", () => {
    const record = encodeRelayedFrame(7, encodeRelayed(-1, KIND.data, new Uint8Array(MAX_RELAYED)));
    assert.equal(record.length, 16_384);
    const message = new LaneReader(LONGEST).read(record);
    assert.equal(message?.type, "relayed");
    assert.deepEqual(message?.type === "relayed" && message.frame, record.slice(2));
    assert.equal(message?.type === "relayed" && message.frame.buffer.byteLength, record.length - 2);
    assert.deepEqual(new LaneReader(LONGEST).read(encodeRelayedFrame(0, new Uint8Array())), {
      type: "relayed",
      visit: 0,
      frame: new Uint8Array(),
    });
  });

  it("forgets half a frame when another visit speaks, or a visit begins or ends", () => {
    const [half] = encodeFrame(1, "a".repeat(20_000));
    const interruptions = [encodeBegin(1), encodeEnd(1, 1000, ""), ...encodeFrame(2, "")];
    for (const interruption of interruptions) {
      const reader = new LaneReader(LONGEST);
      reader.read(half!);
      reader.read(interruption);
      assert.deepEqual(reader.read(encodeFrame(1, "b")[0]!), { type: "frame", visit: 1, frame: "b" });
    }
  });

  it("takes whole parts alone, so that small ones do not pile up, each with its record", () => {
    for (const part of [
      Uint8Array.of(1, 1),
      Uint8Array.of(1, 1, 65),
      encodeFrame(1, "a".repeat(20_000))[0]!.slice(1),
    ]) {
      const reader = new LaneReader(LONGEST);
      part.set([1, 1]);
      assert.equal(reader.read(part), undefined);
      const [end] = encodeFrame(1, "b");
      assert.deepEqual(reader.read(end!), { type: "frame", visit: 1, frame: undefined });
      assert.deepEqual(reader.read(end!), { type: "frame", visit: 1, frame: "b" });
    }
  });

  it("says that what is too long or no text is no frame, and goes on", () => {
    const reader = new LaneReader(20_000);
    const none = { type: "frame", visit: 1, frame: undefined };
    const said = encodeFrame(1, "a".repeat(20_001)).map((message) => reader.read(message));
    assert.deepEqual(said.at(-1), none);
    assert.deepEqual(reader.read(Uint8Array.of(2, 1, 0xff)), none);
    assert.deepEqual(reader.read(encodeFrame(1, "b")[0]!), { type: "frame", visit: 1, frame: "b" });
  });

  it("keeps no more of an endless frame than the longest", () => {
    const reader = new LaneReader(LONGEST);
    const part = encodeFrame(1, "a".repeat(20_000))[0]!;
    for (let i = 0; i < 1_000; i++) assert.equal(reader.read(part), undefined);
    assert.deepEqual(reader.read(Uint8Array.of(2, 1)), { type: "frame", visit: 1, frame: undefined });
  });

  it("never throws, whatever comes", () => {
    const message = fc.uint8Array({ maxLength: 8 });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
        const reader = new LaneReader(10);
        for (const body of messages) reader.read(body);
      }),
    );
  });
});
