import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../../src/base/random.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { Timeline } from "../../kit/timeline.ts";

function drain<T>(timeline: Timeline<T>): T[] {
  const values: T[] = [];
  for (let entry = timeline.take(); entry; entry = timeline.take()) values.push(entry.value);
  return values;
}

test("values come out by instant", () => {
  const timeline = new Timeline<string>();
  timeline.add(3, "c");
  timeline.add(1, "a");
  timeline.add(2, "b");
  assert.equal(timeline.peek()?.value, "a");
  assert.deepEqual(drain(timeline), ["a", "b", "c"]);
  assert.equal(timeline.peek(), undefined);
});

test("values of one instant come out in the order they were added", () => {
  const timeline = new Timeline<number>();
  for (let i = 0; i < 100; i++) timeline.add(5, i);
  assert.deepEqual(
    drain(timeline),
    Array.from({ length: 100 }, (_, i) => i),
  );
});

test("filter removes values and keeps the order of the others", () => {
  const timeline = new Timeline<number>();
  for (let i = 0; i < 50; i++) timeline.add(i % 5, i);
  timeline.filter((value) => value % 2 === 0);
  assert.equal(timeline.size, 25);
  timeline.add(0, 1000);
  const values = drain(timeline);
  assert.deepEqual(values.slice(0, 6), [0, 10, 20, 30, 40, 1000]);
});

test("any mix of adding, taking and filtering behaves like a stable sort", () =>
  forEachSeed(200, (seed) => {
    const random = seededRandom(seed);
    const timeline = new Timeline<number>();
    let model: { at: number; value: number }[] = [];
    for (let value = 0; value < 300; value++) {
      if (random.chance(0.6)) {
        const at = random.integer(20);
        timeline.add(at, value);
        model.push({ at, value });
        model.sort((a, b) => a.at - b.at || a.value - b.value);
      } else if (random.chance(0.95)) {
        assert.equal(timeline.take()?.value, model.shift()?.value);
      } else {
        const odd = random.integer(3);
        timeline.filter((kept) => kept % 3 !== odd);
        model = model.filter((kept) => kept.value % 3 !== odd);
      }
      assert.equal(timeline.size, model.length);
    }
    assert.deepEqual(
      drain(timeline),
      model.map((entry) => entry.value),
    );
  }));
