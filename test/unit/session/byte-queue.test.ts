import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededRandom } from "../../../src/base/random.ts";
import { ByteQueue } from "../../../src/session/byte-queue.ts";
import { forEachSeed } from "../../kit/seeds.ts";

function queueOf(...chunks: readonly (readonly number[])[]): ByteQueue {
  const queue = new ByteQueue();
  for (const chunk of chunks) queue.push(Uint8Array.from(chunk));
  return queue;
}

describe("ByteQueue", () => {
  it("gives back what was put in, in any portions", () =>
    forEachSeed(50, (seed) => {
      const random = seededRandom(seed);
      const queue = new ByteQueue();
      const [put, got]: [number[], number[]] = [[], []];
      for (let turn = 0; turn < 500; turn++) {
        if (random.chance(0.5)) {
          const chunk = random.fill(new Uint8Array(random.integer(random.chance(0.2) ? 3000 : 20)));
          put.push(...chunk);
          queue.push(chunk);
        } else got.push(...portion(queue, random.integer(4), random.integer(queue.length + 1)));
        assert.equal(queue.length, put.length - got.length);
      }
      got.push(...queue.take(queue.length));
      assert.deepEqual(got, put);
    }));

  it("is empty after clear", () => {
    const queue = queueOf([1, 2], [3]);
    queue.clear();
    assert.deepEqual(
      [queue.length, queue.shift(), queue.peek16(), queue.at(0)],
      [0, undefined, undefined, undefined],
    );
  });

  it("looks ahead without taking", () => {
    const queue = queueOf([1], [2, 3]);
    assert.deepEqual([queue.at(0), queue.at(2), queue.at(3), queue.peek16()], [1, 3, undefined, 0x0102]);
    assert.equal(queue.length, 3);
    assert.equal(queueOf([9]).peek16(), undefined);
  });

  it("takes from one chunk without copying, from several into the scratch it is given", () => {
    const chunk = new Uint8Array(2000).fill(1);
    const queue = new ByteQueue();
    queue.push(chunk);
    queue.push(new Uint8Array(2000).fill(2));
    assert.equal(queue.take(1500).buffer, chunk.buffer);
    const scratch = new Uint8Array(4000);
    const taken = queue.take(1000, scratch);
    assert.equal(taken.buffer, scratch.buffer);
    assert.deepEqual([taken[0], taken[499], taken[500], taken.length], [1, 1, 2, 1000]);
  });

  it("holds single bytes in few objects", () => {
    const queue = new ByteQueue();
    for (let i = 0; i < 10_000; i++) queue.push(Uint8Array.of(i & 0xff));
    let chunks = 0;
    for (let at = 0; ; chunks++) {
      const chunk = queue.shift();
      if (!chunk) break;
      for (const byte of chunk) assert.equal(byte, at++ & 0xff);
    }
    assert.ok(chunks < 50, `${chunks} chunks`);
  });

  it("does not slow down with what has passed through it", () => {
    const queue = new ByteQueue();
    for (let i = 0; i < 100_000; i++) {
      queue.push(new Uint8Array(600));
      if (i >= 100) assert.equal(queue.shift()?.length, 600);
    }
    assert.equal(queue.length, 100 * 600);
  });
});

/** Takes `length` bytes, or one chunk, by one of the ways there are. */
function portion(queue: ByteQueue, way: number, length: number): Uint8Array {
  if (way === 0) return queue.shift() ?? new Uint8Array(0);
  if (way === 1) return queue.take(length).slice();
  if (way === 2) return queue.take(length, new Uint8Array(50_000)).slice();
  const target = new Uint8Array(length + 7);
  queue.copyInto(target, 7, length);
  return target.subarray(7);
}
