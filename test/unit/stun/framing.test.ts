import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { concat, fromHex, toHex } from "../../../src/base/bytes.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { makeMessage } from "../../../src/stun/attribute.ts";
import { StreamFrames } from "../../../src/stun/framing.ts";
import { encodeMessage } from "../../../src/stun/message.ts";
import { SOFTWARE } from "../../../src/stun/texts.ts";
import { forEachSeed } from "../../kit/seeds.ts";

const ID = new Uint8Array(12).fill(7);
const MESSAGES = ["", "a", "abcdef"].map((name) =>
  encodeMessage(makeMessage("request", 1, ID, name === "" ? [] : [SOFTWARE.of(name)])),
);
/** A ChannelData frame of five bytes and its padding. */
const DATA = fromHex("4001000568656c6c6f")!;
const PADDING = new Uint8Array(3);

describe("a stream of messages", () => {
  it("comes apart where it was joined, however it is chopped", () =>
    forEachSeed(50, (seed) => {
      const random = seededRandom(seed);
      const frames = Array.from({ length: 30 }, () =>
        random.chance(0.3) ? DATA : MESSAGES[random.integer(3)]!,
      );
      const bytes = concat(frames.flatMap((frame) => (frame === DATA ? [DATA, PADDING] : [frame])));
      const cutter = new StreamFrames({ channelData: true });
      const got: string[] = [];
      for (let at = 0; at < bytes.length; ) {
        const end = at + random.integer(random.chance(0.5) ? 4 : 100);
        const chunk = bytes.slice(at, end);
        got.push(...cutter.push(chunk).map(toHex));
        chunk.fill(0xee);
        at = Math.min(end, bytes.length);
      }
      assert.deepEqual(got, frames.map(toHex));
      assert.equal(cutter.broken, false);
    }));

  it("is broken by what is no message, and stays so", () => {
    const junk: Uint8Array[] = [
      new TextEncoder().encode("GET / HTTP/1.1\r\n"),
      MESSAGES[0]!.with(4, 0),
      MESSAGES[0]!.with(3, 2),
      Uint8Array.of(...DATA, ...PADDING),
    ];
    for (const bytes of junk) {
      const cutter = new StreamFrames();
      assert.deepEqual([...cutter.push(MESSAGES[1]!), ...cutter.push(bytes)], [MESSAGES[1]]);
      assert.equal(cutter.broken, true);
      assert.deepEqual(cutter.push(MESSAGES[0]!), []);
    }
  });

  it("gives what came before the junk in the same chunk", () => {
    const cutter = new StreamFrames();
    assert.equal(cutter.push(concat([MESSAGES[2]!, new Uint8Array(20).fill(0xff)])).length, 1);
    assert.equal(cutter.broken, true);
  });

  it("is broken by a frame larger than allowed before it has come", () => {
    const cutter = new StreamFrames({ maxSize: 100 });
    assert.deepEqual(cutter.push(fromHex("000100542112a442")!), []);
    assert.equal(cutter.broken, true);
  });

  it("takes ChannelData of no bytes", () => {
    const cutter = new StreamFrames({ channelData: true });
    assert.deepEqual(cutter.push(fromHex("4fff000040000000")!).map(toHex), ["4fff0000", "40000000"]);
  });
});
