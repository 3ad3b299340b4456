import assert from "node:assert/strict";
import test from "node:test";
import { seededRandom } from "../../../src/base/random.ts";
import { type Timed, TimerHeap } from "../../../src/utp/timer-heap.ts";
import { forEachSeed } from "../../kit/seeds.ts";

function timed(): Timed {
  return { armedFor: Number.POSITIVE_INFINITY, heapIndex: -1 };
}

test("what is due comes earliest first, whatever was armed, moved and removed before", async () => {
  await forEachSeed(20, (seed) => {
    const random = seededRandom(seed);
    const heap = new TimerHeap<Timed>();
    const items = Array.from({ length: 50 }, timed);
    for (let step = 0; step < 400; step++) {
      const item = items[random.integer(items.length)]!;
      if (random.chance(0.2)) heap.remove(item);
      else heap.arm(item, random.integer(1000));
      const armed = items.filter(({ heapIndex }) => heapIndex >= 0).map(({ armedFor }) => armedFor);
      assert.equal(heap.next, armed.length > 0 ? Math.min(...armed) : undefined);
    }
    let last = 0;
    for (let due = heap.takeDue(500); due; due = heap.takeDue(500)) {
      assert.equal(due.heapIndex, -1);
      last = due.armedFor === Number.POSITIVE_INFINITY ? last : assert.fail("still armed");
    }
    assert.ok((heap.next ?? 501) > 500);
  });
});

test("arming for later leaves the earlier deadline, which its owner looks at again", () => {
  const heap = new TimerHeap<Timed>();
  const item = timed();
  heap.arm(item, 10);
  heap.arm(item, 20);
  assert.equal(heap.next, 10);
  assert.equal(heap.takeDue(9), undefined);
  assert.equal(heap.takeDue(10), item);
  heap.arm(item, Number.POSITIVE_INFINITY);
  assert.equal(heap.next, undefined);
});
