import assert from "node:assert/strict";
import test from "node:test";
import { concat } from "../../../src/base/bytes.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { ReadQueue } from "../../../src/utp/read-queue.ts";
import { ReorderBuffer } from "../../../src/utp/reorder-buffer.ts";
import { copySegment, type Segment, SendBuffer } from "../../../src/utp/send-buffer.ts";
import { forEachSeed } from "../../kit/seeds.ts";

test("a send buffer gives back what was written, however it is cut", async () => {
  await forEachSeed(50, (seed) => {
    const random = seededRandom(seed);
    const buffer = new SendBuffer(false);
    const written: Uint8Array[] = [];
    const taken: Uint8Array[] = [];
    for (let i = 0; i < 60; i++) {
      if (random.chance(0.5)) {
        const chunk = random.fill(new Uint8Array(random.integer(300)));
        buffer.push(chunk, undefined);
        written.push(chunk);
        continue;
      }
      const segment: Segment = { chunk: undefined, offset: 0, length: 0 };
      buffer.take(segment, buffer.available(1 + random.integer(200)));
      const out = new Uint8Array(segment.length);
      const cut = random.integer(segment.length + 1);
      copySegment(segment, 0, cut, out, 0);
      copySegment(segment, cut, segment.length - cut, out, cut);
      taken.push(out);
    }
    const rest: Segment = { chunk: undefined, offset: 0, length: 0 };
    buffer.take(rest, buffer.available(Number.POSITIVE_INFINITY));
    const out = new Uint8Array(rest.length);
    copySegment(rest, 0, rest.length, out, 0);
    assert.deepEqual(concat([...taken, out]), concat(written));
    assert.equal(buffer.unsent, 0);
  });
});

test("with boundaries no segment holds bytes of two chunks", () => {
  const buffer = new SendBuffer(true);
  buffer.push(new Uint8Array(10), undefined);
  buffer.push(new Uint8Array(20), undefined);
  assert.equal(buffer.available(100), 10);
  assert.equal(buffer.mayGrow(10), false);
});

test("chunks share a segment only if their metadata is the same", () => {
  const buffer = new SendBuffer(false);
  buffer.push(new Uint8Array(1), Uint8Array.of(1));
  buffer.push(new Uint8Array(2), Uint8Array.of(1));
  buffer.push(new Uint8Array(4), Uint8Array.of(2));
  assert.equal(buffer.available(100), 3);
});

test("a reorder buffer holds packets at any distance up to its growth, across the wrap", () => {
  const buffer = new ReorderBuffer();
  const next = 65_530;
  const distances = [1, 5, 9, 40, 300];
  for (const distance of distances) {
    const seq = (next + distance) & 0xffff;
    assert.equal(buffer.has(seq, distance), false);
    buffer.put(seq, distance, Uint8Array.of(distance & 0xff), Uint8Array.of(1));
  }
  for (let distance = 1; distance < 600; distance++) {
    assert.equal(buffer.has((next + distance) & 0xffff, distance), distances.includes(distance));
  }
  for (const distance of distances) {
    const seq = (next + distance) & 0xffff;
    assert.deepEqual([buffer.meta(seq)?.[0], buffer.take(seq)?.[0]], [1, distance & 0xff]);
    assert.equal(buffer.take(seq), undefined);
  }
  assert.deepEqual([buffer.count, buffer.bytes], [0, 0]);
});

test("a read queue joins, splits and keeps the order", async () => {
  await forEachSeed(50, (seed) => {
    const random = seededRandom(seed);
    const queue = new ReadQueue();
    const pushed: Uint8Array[] = [];
    const read: Uint8Array[] = [];
    for (let i = 0; i < 3000; i++) {
      if (random.chance(0.6)) {
        const chunk = random.fill(new Uint8Array(1 + random.integer(20)));
        queue.push(chunk, undefined);
        pushed.push(chunk);
        continue;
      }
      const limit = 1 + random.integer(60);
      const chunk = random.chance(0.5) ? queue.read(limit) : queue.readPacket()?.data;
      if (chunk) read.push(chunk);
    }
    for (let chunk = queue.read(1000); chunk; chunk = queue.read(1000)) read.push(chunk);
    assert.deepEqual(concat(read), concat(pushed));
    assert.deepEqual([queue.bytes, queue.empty], [0, true]);
  });
});

test("one chunk that suffices is given as it is, without a copy", () => {
  const queue = new ReadQueue();
  const chunk = new Uint8Array(100);
  queue.push(chunk, undefined);
  assert.equal(queue.read(100), chunk);
});
