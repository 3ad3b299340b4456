import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeOf } from "../../../src/base/errors.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { Rogue } from "./rogue.ts";
import { type End, flipBit, Wire, type WireOptions } from "./wire.ts";

/** What a man in the middle does to the nth thing the dialler sends. */
type Attack = (bytes: Uint8Array, wire: Wire) => readonly Uint8Array[];

/** Sends numbered chunks one by one, lets `attack` have the fifth record, and judges what the server saw. */
function sendUnder(attack: Attack, options: WireOptions = {}): { far: End; near: End } {
  const wire = new Wire(options).open();
  const { near, far } = wire;
  let count = 0;
  wire.intercept = (bytes, to) => (to === far && ++count === 5 ? attack(bytes, wire) : [bytes]);
  const sent: Uint8Array[] = [];
  for (let i = 0; i < 10 && !near.closed; i++) {
    sent.push(new Uint8Array(1000 + i).fill(i));
    near.do((engine) => engine.write(sent[i]!.slice()));
  }
  const all = Buffer.concat(sent);
  assert.ok(far.received.length <= 4 * 1000 + 6, "nothing from the fifth record on was delivered");
  assert.ok(all.subarray(0, far.received.length).equals(far.received), "no wrong byte was delivered");
  assert.equal(far.events.filter((event) => event === "closed").length, 1);
  return wire;
}

describe("a man in the middle of an open session", () => {
  const attacks: Readonly<Record<string, Attack>> = {
    "flips a bit": (bytes, { random }) => [bytes.slice(0, 2), flipBit(bytes.slice(2), random)],
    "flips a bit of the tag": (bytes) => {
      const changed = bytes.slice();
      changed[bytes.length - 1]! ^= 1;
      return [changed];
    },
    "replays a record": (_bytes, { recorded, far }) => [
      recorded.filter(({ to }) => to === far).at(-2)!.bytes,
    ],
    "doubles a record": (bytes) => [bytes, bytes],
    "drops a record": () => [],
    "sends a record back": (_bytes, { recorded, near }) => [
      recorded.findLast(({ to }) => to === near)!.bytes,
    ],
    "inserts a record of another session": (bytes) => {
      const other = new Wire({ seed: 99 }).open();
      other.near.do((engine) => engine.write(new Uint8Array(1004)));
      return [other.recorded.at(-1)!.bytes, bytes];
    },
    "inserts rubbish": (bytes, { random }) => [
      Uint8Array.of(0, 198),
      random.fill(new Uint8Array(198)),
      bytes,
    ],
    "inserts a record that is too short for a tag": (bytes) => [Uint8Array.of(0, 15), bytes],
    "announces a record of the greatest length": (bytes) => [
      Uint8Array.of(0xff, 0xff),
      new Uint8Array(0xffff),
      bytes,
    ],
  };
  for (const [name, attack] of Object.entries(attacks)) {
    it(`who ${name} ends it with one clear error`, () =>
      forEachSeed(5, (seed) => {
        // A doubled record is delivered once, with the fifth chunk, before its double breaks the session.
        if (name === "doubles a record") return;
        const { far, near } = sendUnder(attack, { seed });
        assert.equal(codeOf(far.error), "ERR_1TP_BAD_FRAME");
        assert.equal(codeOf(near.error), "ECONNRESET");
      }));
  }

  it("who doubles a record ends it after that record", () => {
    const wire = new Wire().open();
    wire.intercept = (bytes) => [bytes, bytes];
    wire.near.do((engine) => engine.write(new Uint8Array(10).fill(3)));
    assert.deepEqual(Buffer.from(wire.far.received), Buffer.alloc(10, 3));
    assert.equal(codeOf(wire.far.error), "ERR_1TP_BAD_FRAME");
  });

  it("who swaps two records ends it", () => {
    const wire = new Wire().open();
    const held: Uint8Array[] = [];
    wire.intercept = (bytes, to) => {
      if (to !== wire.far) return [bytes];
      held.push(bytes);
      return held.length === 2 ? [held[1]!, held[0]!] : [];
    };
    for (let i = 0; i < 2; i++) wire.near.do((engine) => engine.write(new Uint8Array(10).fill(i)));
    assert.equal(wire.far.received.length, 0);
    assert.equal(codeOf(wire.far.error), "ERR_1TP_BAD_FRAME");
  });

  it("who cuts it off anywhere makes a loss of it, never an end", () =>
    forEachSeed(30, (seed) => {
      const wire = new Wire({ seed }).open();
      const cut = wire.random.integer(3000);
      let passed = 0;
      wire.intercept = (bytes, to) => {
        if (to !== wire.far) return [bytes];
        const left = Math.max(0, cut - passed);
        passed += bytes.length;
        if (left >= bytes.length) return [bytes];
        wire.intercept = () => [];
        return [bytes.slice(0, left)];
      };
      for (let i = 0; i < 3; i++) wire.near.do((engine) => engine.write(new Uint8Array(1000).fill(i)));
      wire.end(wire.far);
      wire.flow();
      assert.equal(codeOf(wire.far.error), "ECONNRESET");
      assert.ok(!wire.far.events.includes("end"));
      const whole = Math.floor(wire.far.received.length / 1000);
      assert.equal(wire.far.received.length, whole * 1000);
      for (let i = 0; i < whole; i++) assert.equal(wire.far.received[i * 1000], i);
    }));
});

describe("a peer that holds the keys and breaks the rules", () => {
  const header = (type: number, body: readonly number[]): number[] => [
    type,
    body.length >> 8,
    body.length & 0xff,
    ...body,
  ];
  const eight = (value: number): number[] => [0, 0, 0, 0, 0, 0, value >> 8, value & 0xff];
  const wrong: Readonly<Record<string, readonly number[]>> = {
    "an unknown type below 0x40": header(9, []),
    "type 0": header(0, []),
    "half a header": [1, 0],
    "a body that runs past the record": [1, 0, 9, 0, 0],
    "data at the wrong place": header(1, [...eight(5), 1]),
    "data without a place": header(1, [0, 0, 0]),
    "an offset beyond 2^53": header(1, [0xff, 0, 0, 0, 0, 0, 0, 0]),
    "an end at the wrong place": header(2, eight(3)),
    "two ends": [...header(2, eight(0)), ...header(2, eight(1))],
    "data after the end": [...header(2, eight(0)), ...header(1, [...eight(1), 1])],
    "an ACK of what was never sent": header(6, [...eight(1), 0, 0, 0, 0]),
    "an ACK cut short": header(6, eight(0)),
    "a CONFIRM with a body": header(7, [1]),
    "a message without a channel": header(8, []),
  };
  for (const [name, frame] of Object.entries(wrong)) {
    it(`by ${name} is shut out`, () => {
      const rogue = new Rogue();
      rogue.say(frame);
      assert.equal(codeOf(rogue.error), "ERR_1TP_BAD_FRAME");
      assert.equal(rogue.received, 0);
    });
  }

  it("by sending more than its window is shut out", () => {
    const rogue = new Rogue();
    rogue.engine.pause();
    const size = 60_000;
    for (let sent = 0; !rogue.error; sent += size) {
      assert.ok(sent <= 1 << 20);
      const head = [1, (size + 8) >> 8, (size + 8) & 0xff, 0, 0, 0, 0];
      rogue.say([...head, ...[24, 16, 8, 0].map((bits) => (sent >> bits) & 0xff), ...new Uint8Array(size)]);
    }
    assert.equal(codeOf(rogue.error), "ERR_1TP_BAD_FRAME");
  });

  it("by padding what nobody reads makes us hold little more than it may send", () => {
    const rogue = new Rogue();
    rogue.engine.pause();
    const [size, padding] = [600, header(0x40, new Array(60_000).fill(0))];
    for (let i = 0; i < 40; i++) {
      const offset = eight(i * size);
      rogue.say([...header(1, [...offset, ...new Array(size).fill(i)]), ...padding]);
      rogue.say([...header(8, [1, ...new Array(size).fill(i)]), ...padding]);
    }
    rogue.listen();
    assert.equal(rogue.received, 80 * size);
    assert.ok(rogue.held <= 3 * rogue.received, `${rogue.held} bytes for ${rogue.received}`);
  });

  it("by a record of mixed frames has none of them delivered if one is malformed", () => {
    const rogue = new Rogue();
    rogue.say([...header(1, [...eight(0), 65, 66]), ...header(9, [])]);
    assert.equal(rogue.received, 0);
  });

  it("is not bothered about optional frames of the future", () => {
    const rogue = new Rogue();
    rogue.say([...header(0x40, [1, 2]), ...header(0xff, []), ...header(1, [...eight(0), 65])]);
    assert.deepEqual([rogue.error, rogue.received], [undefined, 1]);
    assert.equal(rogue.engine.counters.unknownFrames, 2);
  });

  it("with a thousand pings makes us answer once", () => {
    const rogue = new Rogue();
    const before = rogue.answered;
    rogue.say(Array.from({ length: 1000 }, (_, i) => header(4, [0, 0, i >> 8, i & 0xff])).flat());
    assert.equal(rogue.answered - before, 1);
  });
});
