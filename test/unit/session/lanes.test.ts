import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Session } from "../../../src/session/session.ts";
import { Couple } from "./couple.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What a lane of a session brings from now on. */
function laneNotes(session: Session, number: number): string[] {
  const notes: string[] = [];
  session.lane(number).attach({
    onMessage: (body) => notes.push(Buffer.from(body).toString("latin1")),
    onDrain: () => notes.push("drain"),
    onClose: () => notes.push("close"),
  });
  return notes;
}

describe("the lanes of a session", () => {
  it("hands messages over beside the bytes, to the sink of their lane and to nobody else", async () => {
    const couple = await new Couple().open();
    couple.near.lane(3).send(bytes("lost"));
    await couple.settle();
    const [three, four] = [laneNotes(couple.far, 3), laneNotes(couple.far, 4)];
    assert.equal(couple.near.lane(4).send(bytes("found")), true);
    assert.equal(couple.near.lane(5).send(bytes("nobody's")), true);
    await couple.settle();
    assert.deepEqual([three, four], [[], ["found"]]);
  });

  it("takes 16 messages while it cannot send, and says when it takes more", async () => {
    const couple = await new Couple().open();
    const [near, far] = [laneNotes(couple.near, 1), laneNotes(couple.far, 1)];
    couple.farChannel.pause();
    const lane = couple.near.lane(1);
    couple.near.write(new Uint8Array(1 << 20));
    await couple.settle();
    let taken = 0;
    while (lane.send(bytes(`${taken}`))) taken++;
    assert.deepEqual([taken, near], [16, []]);
    couple.farChannel.resume();
    await couple.settle();
    assert.deepEqual([near, far.length], [["drain"], 16]);
    assert.equal(lane.send(bytes("more")), true);
  });

  it("shares the way evenly between large messages and the bytes, as long as there are both", async () => {
    const couple = await new Couple().open();
    const came: { readonly kind: "bytes" | "message"; readonly length: number }[] = [];
    const note = (kind: "bytes" | "message") => (chunk: Uint8Array) =>
      void came.push({ kind, length: chunk.length });
    couple.far.lane(1).attach({ onMessage: note("message"), onDrain() {}, onClose() {} });
    couple.far.attach({ onData: note("bytes"), onDrain() {}, onEnd() {}, onClose() {} });
    couple.farChannel.pause();
    couple.near.write(new Uint8Array(1 << 20));
    await couple.settle();
    for (let i = 0; i < 16; i++) assert.equal(couple.near.lane(1).send(new Uint8Array(16_384)), true);
    couple.farChannel.resume();
    await couple.settle();
    const first = came.findIndex(({ kind }) => kind === "message");
    const last = came.findLastIndex(({ kind }) => kind === "message");
    const total = (kind: string, part: typeof came): number =>
      part.filter((each) => each.kind === kind).reduce((sum, { length }) => sum + length, 0);
    const shared = total("bytes", came.slice(first, last));
    assert.equal(total("message", came), 16 * 16_384);
    assert.ok(shared >= 0.8 * 16 * 16_384, `${shared} bytes beside the messages`);
  });

  it("tells lanes of its end once, though nobody reads its bytes", async () => {
    const couple = await new Couple().open();
    const [near, far] = [laneNotes(couple.near, 1), laneNotes(couple.far, 1)];
    couple.near.write(bytes("unread"));
    couple.near.end();
    couple.far.end();
    await couple.settle();
    couple.nearChannel.abort();
    await couple.settle();
    assert.deepEqual([near, far], [["close"], ["close"]]);
    assert.deepEqual(laneNotes(couple.far, 2), []);
    const late = laneNotes(couple.far, 2);
    await couple.settle();
    assert.deepEqual(late, ["close"]);
  });

  it("tells the sink of a lane when another one takes its place", async () => {
    const couple = await new Couple().open();
    const before = laneNotes(couple.far, 1);
    const after = laneNotes(couple.far, 1);
    couple.near.lane(1).send(bytes("hello"));
    await couple.settle();
    assert.deepEqual([before, after], [["close"], ["hello"]]);
  });

  it("has lanes 0 to 255 for messages of at most 16 KiB", async () => {
    const couple = await new Couple().open();
    for (const number of [-1, 256, 0.5, Number.NaN]) {
      assert.throws(() => couple.near.lane(number), { code: "ERR_OUT_OF_RANGE" });
    }
    const far = laneNotes(couple.far, 255);
    assert.throws(() => couple.near.lane(255).send(new Uint8Array(16_385)), { code: "ERR_OUT_OF_RANGE" });
    assert.equal(couple.near.lane(255).send(new Uint8Array(16_384)), true);
    await couple.settle();
    assert.equal(far[0]?.length, 16_384);
  });
});
