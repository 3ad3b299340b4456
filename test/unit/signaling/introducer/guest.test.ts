import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Guest } from "../../../../signaling/introducer/guest.ts";
import {
  encodeBegin,
  encodeEnd,
  encodeFrame,
  encodeRelayedFrame,
} from "../../../../signaling/introducer/wire.ts";
import { ScriptedLane } from "./scripted-lane.ts";

function welcome(limit = 1_000) {
  const lane = new ScriptedLane();
  const heard: string[] = [];
  const relayed: Uint8Array[] = [];
  const time = { now: 0 };
  const guest = new Guest(lane, limit, () => time.now, {
    onBegin: () => heard.push("begin"),
    onFrame: (frame) => heard.push(`frame ${frame}`),
    onRelayed: (frame) => heard.push(`relayed ${frame}`),
    takeRelayed: () => relayed.shift(),
    onEnd: () => heard.push("end"),
    onFlood: (dialog) => heard.push(`flood ${dialog}`),
  });
  const tell = (...messages: Uint8Array[]): void => {
    for (const message of messages) lane.sink!.onMessage(message);
  };
  return { lane, guest, heard, relayed, tell, time };
}

describe("a guest", () => {
  it("is heard from its beginning to its end", () => {
    const { heard, tell } = welcome();
    tell(...encodeFrame(1, "early"), encodeBegin(1), ...encodeFrame(1, "hello"), encodeEnd(1, 1000, ""));
    tell(...encodeFrame(1, "late"), encodeEnd(1, 1000, ""));
    assert.deepEqual(heard, ["begin", "frame hello", "end"]);
  });

  it("gets what is relayed when nothing else waits, one frame at a time", () => {
    const { lane, guest, relayed, tell } = welcome();
    relayed.push(Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3));
    guest.relay();
    assert.deepEqual([lane.said, relayed.length], [[], 3], "there is no visit yet");
    tell(encodeBegin(1));
    lane.room = 1;
    guest.relay();
    assert.deepEqual([lane.said, relayed.length], [["relayed 1"], 1]);
    guest.send("signal");
    lane.drain();
    assert.deepEqual(lane.said, ["relayed 1", "relayed 2", "signal", "relayed 3"]);
    relayed.push(Uint8Array.of(4));
    guest.end(1000, "");
    guest.relay();
    assert.deepEqual([lane.said.at(-1), relayed.length], ["end 1000", 1]);
  });

  it("is heard with what is to be relayed during its visit alone", () => {
    const { heard, tell } = welcome();
    tell(encodeRelayedFrame(1, Uint8Array.of(7)), encodeBegin(1), encodeRelayedFrame(1, Uint8Array.of(8)));
    tell(
      encodeRelayedFrame(2, Uint8Array.of(9)),
      encodeEnd(1, 1000, ""),
      encodeRelayedFrame(1, Uint8Array.of(10)),
    );
    assert.deepEqual(heard, ["begin", "relayed 8", "end"]);
  });

  it("may begin anew, and what is left of the older visit is ignored", () => {
    const { heard, tell, guest, lane } = welcome();
    lane.room = 0;
    tell(encodeBegin(1));
    guest.send("for the first");
    tell(
      encodeBegin(2),
      ...encodeFrame(1, "of the first"),
      encodeEnd(1, 1000, ""),
      ...encodeFrame(2, "hello"),
    );
    guest.send("for the second");
    lane.drain();
    assert.deepEqual(heard, ["begin", "end", "begin", "frame hello"]);
    assert.deepEqual(lane.said, ["for the second"]);
  });

  it("may begin four times a second, and hears so", () => {
    const { heard, tell, lane, time } = welcome();
    for (let visit = 0; visit < 6; visit++) tell(encodeBegin(visit), ...encodeFrame(visit, `${visit}`));
    assert.deepEqual(
      heard.filter((event) => event.startsWith("frame")),
      ["frame 0", "frame 1", "frame 2", "frame 3"],
    );
    assert.deepEqual([lane.said, heard.at(-1)], [["end 1013", "end 1013"], "end"]);
    time.now = 250;
    tell(encodeBegin(6));
    assert.equal(heard.at(-1), "begin");
  });

  it("ends once when its connection does", () => {
    const { heard, tell, lane, guest } = welcome();
    tell(encodeBegin(1));
    lane.sink!.onClose();
    guest.end(1008, "");
    lane.sink!.onClose();
    assert.deepEqual([heard, lane.said], [["begin", "end"], []]);
  });

  it("hears why its visit was ended, as soon as it reads", () => {
    const { heard, tell, lane, guest } = welcome();
    tell(encodeBegin(1));
    lane.room = 0;
    guest.send("one", 1);
    guest.send("two", 2);
    guest.end(1008, "too fast");
    guest.send("not said");
    lane.drain();
    assert.deepEqual(
      [heard, lane.said],
      [
        ["begin", "end"],
        ["one", "two", "end 1008"],
      ],
    );
  });

  it("that does not read loses the dialog that has most for it, and no other", () => {
    const { heard, tell, lane, guest } = welcome(1_000);
    tell(encodeBegin(1));
    lane.room = 0;
    guest.send("x".repeat(100), 1);
    guest.send("y".repeat(100), 2);
    for (let i = 0; i < 8; i++) guest.send("z".repeat(100), 3);
    assert.deepEqual(heard, ["begin", "flood 3"]);
    lane.drain();
    assert.deepEqual(
      lane.said.map((frame) => frame[0]),
      ["x", "y"],
    );
  });

  it("that does not read answers to itself loses its visit", () => {
    const { heard, tell, lane, guest } = welcome(1_000);
    tell(encodeBegin(1));
    lane.room = 0;
    for (let i = 0; i < 11; i++) guest.send("pong".repeat(25));
    assert.deepEqual(heard, ["begin", "end"]);
    lane.drain();
    assert.equal(lane.said.at(-1), "end 1008");
  });
});
