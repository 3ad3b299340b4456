import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { LaneLink } from "../../../../signaling/introducer/lane-link.ts";
import { encodeFrame, encodeRelayedFrame } from "../../../../signaling/introducer/wire.ts";
import type { WebSocketClose } from "../../../../src/contract/web-socket.ts";
import { ScriptedLane } from "./scripted-lane.ts";

function visiting() {
  const lane = new ScriptedLane();
  const heard: (string | Uint8Array)[] = [];
  const closes: WebSocketClose[] = [];
  const link = new LaneLink(lane, 1, {
    onMessage: (message) => void heard.push(message),
    onClose: (close) => void closes.push(close),
  });
  const tell = (...messages: readonly Uint8Array[]): void => {
    for (const message of messages) lane.sink!.onMessage(message);
  };
  return { lane, link, heard, closes, tell };
}

describe("a visit to an introducer", () => {
  it("hands out frames one a turn, in order, and the end last", async () => {
    const { heard, closes, tell, lane } = visiting();
    tell(...encodeFrame(1, "one"), ...encodeFrame(1, "two"), encodeRelayedFrame(1, Uint8Array.of(3)));
    lane.sink!.onClose();
    assert.deepEqual(heard, []);
    for (let turns = 0; closes.length === 0; turns++) {
      assert.ok(turns <= 5);
      assert.equal(heard.length, Math.min(turns, 3));
      await setImmediate();
    }
    assert.deepEqual(heard, ["one", "two", Uint8Array.of(3)]);
    assert.equal(closes[0]!.status, 1006);
  });

  for (const [words, frame] of [
    ["words", encodeFrame(1, "")],
    ["relayed frames", [encodeRelayedFrame(1, new Uint8Array(16_000))]],
  ] as const) {
    it(`that brings more ${words} than anybody asked for is over`, async () => {
      const { heard, closes, tell, lane } = visiting();
      for (let i = 0; i < 500_000 && !lane.said.includes("end 1008"); i++) tell(...frame);
      while (closes.length === 0) await setImmediate();
      assert.equal(closes[0]!.status, 1008);
      tell(...frame);
      await setImmediate();
      assert.equal(heard.length, 0);
    });
  }
});
