import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { concat } from "../../../src/base/bytes.ts";
import { LengthFrames } from "../../../src/host/length-frames.ts";
import { randomRuns } from "../../kit/random-runs.ts";

const MAX = 300;

/** Gives `bytes` in pieces of those sizes, and then the rest. */
function* pieces(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.slice(at, at + size);
    at += size;
  }
  yield bytes.slice(at);
}

describe("frames with their length before them", () => {
  it("are cut as they were put together, whatever the pieces; empty ones are nothing", () => {
    const frames = fc.array(fc.uint8Array({ maxLength: MAX }), { maxLength: 20 });
    const sizes = fc.array(fc.nat({ max: 50 }), { maxLength: 100 });
    fc.assert(
      fc.property(frames, sizes, (sent, cuts) => {
        const codec = new LengthFrames(MAX);
        const wire = concat(sent.map((frame) => codec.wrap(frame)));
        const received = [...pieces(wire, cuts)]
          .flatMap((chunk) => codec.push(chunk))
          .map((frame) => [...frame]);
        assert.deepEqual(
          received,
          sent.filter(({ length }) => length > 0).map((frame) => [...frame]),
        );
        assert.equal(codec.broken, false);
      }),
      randomRuns(1000),
    );
  });

  it("that are too long end it, after those before", () => {
    const codec = new LengthFrames(MAX);
    const wire = concat([codec.wrap(new Uint8Array(MAX)), Uint8Array.of(1, 0x2d), new Uint8Array(9)]);
    assert.deepEqual(
      codec.push(wire).map(({ length }) => length),
      [MAX],
    );
    assert.equal(codec.broken, true);
    assert.deepEqual(codec.push(codec.wrap(Uint8Array.of(1))), []);
  });
});
