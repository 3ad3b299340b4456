import assert from "node:assert/strict";
import { test } from "node:test";
import { describeBytes, Trace } from "../../kit/trace.ts";

test("lines are told oldest first with their time", () => {
  const trace = new Trace();
  trace.add(1, "one");
  trace.add(2.5, () => "two");
  assert.equal(`${trace}`, "       1.000  one\n       2.500  two");
});

test("only the last lines are kept, and the number of the others is told", () => {
  const trace = new Trace(3);
  for (let i = 1; i <= 3; i++) trace.add(i, `line ${i}`);
  assert.doesNotMatch(`${trace}`, /left out/);
  trace.add(4, "line 4");
  trace.add(5, "line 5");
  assert.deepEqual(
    `${trace}`.split("\n").map((line) => line.trim()),
    ["(2 earlier lines left out)", "3.000  line 3", "4.000  line 4", "5.000  line 5"],
  );
  assert.equal(trace.added, 5);
});

test("a line is put into words only when it is printed", () => {
  const trace = new Trace(1);
  trace.add(1, () => assert.fail("never printed"));
  trace.add(2, "kept");
  assert.match(`${trace}`, /kept/);
});

test("bytes are described by length and beginning", () => {
  assert.equal(describeBytes(Uint8Array.of(1, 255)), "2 B 01ff");
  assert.equal(describeBytes(new Uint8Array(30)), `30 B ${"00".repeat(24)}…`);
});
