import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  aboveAtMost,
  atLeast,
  atMost,
  oursAtMost,
  type Row,
  resultOf,
  type Stack,
  type Target,
} from "../../../bench/contest.ts";
import { cells, linesIn, table, titleOf } from "../../../bench/table.ts";

const stack = (name: string): Stack => ({
  name,
  listen: async () => 0,
  connect: () => assert.fail("not measured here"),
});
const row = (target: Target): Row => ({
  figure: "tcp: speed",
  workload: { name: "speed", unit: "MB/s", bursts: 1, serve() {}, measure: async () => 0 },
  ours: stack("1tp"),
  peer: stack("node:net"),
  target,
});
const samples = [
  { ours: 10, peer: 100 },
  { ours: 90, peer: 100 },
  { ours: 40, peer: 50 },
];

describe("the figures of a benchmark", () => {
  it("are medians, and the ratio is the median of the pairs' ratios", () => {
    const { ours, peer, ratio } = resultOf(row(atLeast(0.5)), samples);
    assert.deepEqual({ ours, peer, ratio }, { ours: 40, peer: 100, ratio: 0.8 });
  });

  it("meet a target from the right side", () => {
    const ok = (target: Target): boolean => resultOf(row(target), samples).ok;
    assert.ok(ok(atLeast(0.8)));
    assert.ok(!ok(atLeast(0.81)));
    assert.ok(ok(atMost(0.8)));
    assert.ok(!ok(atMost(0.79)));
    assert.ok(ok(oursAtMost(40)));
    assert.ok(!ok(oursAtMost(39)));
  });

  it("may be so much above the peer's", () => {
    const above = (value: number): boolean => resultOf(row(aboveAtMost(value)), samples).ok;
    assert.deepEqual([above(-10), above(-11)], [true, false]);
    const [, , line] = table([cells(resultOf(row(aboveAtMost(5)), samples))]).split("\n");
    assert.equal(line, "| tcp: speed (node:net) | 40 MB/s | 100 MB/s |       | ≤ 5 MB/s more | yes |");
  });

  it("miss every target when nothing was measured", () => {
    assert.ok(!resultOf(row(atLeast(0.5)), []).ok);
    assert.ok(!resultOf(row(oursAtMost(5)), []).ok);
  });

  it("make one Markdown table", () => {
    const lines = table(
      [row(atLeast(0.5)), row(oursAtMost(5))].map((one) => cells(resultOf(one, samples))),
    ).split("\n");
    assert.deepEqual(lines, [
      "| figure                |    ours |     peer | ratio |   target |  ok |",
      "| --------------------- | ------: | -------: | ----: | -------: | --: |",
      "| tcp: speed (node:net) | 40 MB/s | 100 MB/s |  0.80 |  ≥ 0.5 × | yes |",
      "| tcp: speed (node:net) | 40 MB/s | 100 MB/s |       | ≤ 5 MB/s |  NO |",
    ]);
  });

  it("are found again in a text with their table, by their title", () => {
    const one = row(atLeast(0.5));
    const line = cells(resultOf(one, samples));
    const found = linesIn(`before\n${table([line])}\nafter`);
    assert.deepEqual(found.get(titleOf(one)), line);
  });
});
