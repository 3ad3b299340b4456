import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PunchBudget } from "../../../src/nat/budget.ts";
import { MAX_PROBES, ProbeRuns } from "../../../src/nat/probe-run.ts";

const at = (address: string, port = 5000) => ({ address, port });

/** How many datagrams to all ports of an IP a budget grants. */
function granted(budget: PunchBudget, address: string, ports: number): number {
  let count = 0;
  for (let round = 0; round < 50; round++) {
    for (let port = 1; port <= ports; port++) if (budget.take(at(address, port))) count++;
  }
  return count;
}

describe("a dialog's budget", () => {
  test("is eight datagrams for an IP, on any number of ports", () => {
    const budget = new PunchBudget(undefined);
    assert.deepEqual(
      [granted(budget, "5.0.0.1", 1), granted(budget, "5.0.0.2", 500), granted(budget, "5.0.0.1", 10)],
      [8, 8, 0],
    );
  });

  test("is more for the attested IP alone, for each of 64 ports", () => {
    const budget = new PunchBudget("5.0.0.1");
    assert.deepEqual([granted(budget, "5.0.0.1", 1000), granted(budget, "5.0.0.2", 1000)], [64 * 24, 8]);
    assert.deepEqual([budget.isAttested("5.0.0.1"), budget.isAttested("5.0.0.2")], [true, false]);
  });

  test("ends for an address that has proved itself, and for it alone", () => {
    const budget = new PunchBudget(undefined);
    budget.prove(at("5.0.0.1", 7));
    for (let i = 0; i < 100; i++) assert.equal(budget.take(at("5.0.0.1", 7)), true);
    assert.equal(granted(budget, "5.0.0.1", 6), 8);
  });

  test("knows a bounded number of addresses", () => {
    const budget = new PunchBudget(undefined);
    let sent = 0;
    for (let i = 0; i < 1000; i++) if (budget.take(at(`5.0.${i >> 8}.${i & 255}`))) sent++;
    assert.ok(sent < 100, `${sent}`);
  });
});

describe("a run of probes", () => {
  test("is one for an IP at a time, and four for a process", () => {
    const runs = new ProbeRuns();
    const first = runs.begin("5.0.0.1");
    assert.ok(first);
    assert.equal(runs.begin("5.0.0.1"), undefined);
    for (const address of ["5.0.0.2", "5.0.0.3", "5.0.0.4"]) assert.ok(runs.begin(address));
    assert.equal(runs.begin("5.0.0.5"), undefined);
    first.end();
    first.end();
    assert.ok(runs.begin("5.0.0.1"));
    assert.equal(runs.begin("5.0.0.6"), undefined);
  });

  test("grants a thousand a second and 2048 in all, and nothing after its end", () => {
    const run = new ProbeRuns().begin("5.0.0.1")!;
    const taken = (now: number): number => {
      let count = 0;
      for (let i = 0; i < 5000; i++) if (run.take(now)) count++;
      return count;
    };
    assert.deepEqual([taken(0), taken(500), taken(1000), taken(9000)], [1000, 500, 500, 48]);
    assert.equal(MAX_PROBES, 2048);
    assert.equal(run.spent, true);
    const other = new ProbeRuns().begin("5.0.0.1")!;
    other.end();
    assert.equal(other.take(0), false);
  });
});
