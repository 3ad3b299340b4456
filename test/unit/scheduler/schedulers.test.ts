import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Candidate, Scheduler } from "../../../src/contract/scheduler.ts";
import {
  ParallelScheduler,
  SequentialScheduler,
  StaggeredScheduler,
} from "../../../src/scheduler/schedulers.ts";
import { candidate, entry } from "./candidate.ts";

const to = (address?: string): Candidate => candidate(entry("fake", address));

function delays(scheduler: Scheduler, ...addresses: readonly (string | undefined)[]): number[] {
  return scheduler.plan(addresses.map((address) => to(address))).map(({ startAfter }) => startAfter);
}

const ALL = [new SequentialScheduler(), new ParallelScheduler(), new StaggeredScheduler()];

describe("every scheduler", () => {
  it("plans each candidate once, in the order given", () => {
    const candidates = ["8.8.8.8", "10.0.0.1", "::1", undefined].map((address) => to(address));
    for (const scheduler of ALL) {
      const planned = scheduler.plan(candidates).map((start) => start.candidate);
      assert.deepEqual(planned, candidates);
    }
  });

  it("leaves its argument as it is and plans nothing for nothing", () => {
    const candidates = Object.freeze(["8.8.8.8", "10.0.0.1"].map((address) => to(address)));
    for (const scheduler of ALL) {
      scheduler.plan(candidates);
      assert.deepEqual(scheduler.plan([]), []);
    }
  });
});

describe("the schedulers", () => {
  it("sequential: every attempt waits for the failure of those before it", () => {
    assert.deepEqual(delays(new SequentialScheduler(), "8.8.8.8", "10.0.0.1"), [Infinity, Infinity]);
  });

  it("parallel: all attempts start together", () => {
    assert.deepEqual(delays(new ParallelScheduler(), "8.8.8.8", "10.0.0.1", "::1"), [0, 0, 0]);
  });

  it("staggered: 250 ms after an attempt beyond the LAN", () => {
    const [, ...rest] = delays(new StaggeredScheduler(), "8.8.8.8", "2600::1", "8.8.4.4");
    assert.deepEqual(rest, [250, 250]);
  });

  it("staggered: 30 ms after an attempt on this host or LAN", () => {
    for (const near of ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.9", "fd00::1", "fe80::1", "169.254.1.1"]) {
      const [, second] = delays(new StaggeredScheduler(), near, "8.8.8.8");
      assert.equal(second, 30, near);
    }
  });

  it("staggered: 250 ms after an attempt whose distance nobody can tell", () => {
    for (const far of [undefined, "example.org", "0.0.0.0", "224.0.0.1", "192.0.2.1"]) {
      const [, second] = delays(new StaggeredScheduler(), far, "127.0.0.1");
      assert.equal(second, 250, far);
    }
  });
});
