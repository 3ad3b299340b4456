import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TcpKind } from "../../kit/tcp-flow.ts";
import { bottleneck, percent, shares, TcpFlow, UtpFlow } from "./flow.ts";

/** RFC 6817 §2.4.2: no more may be added to the queue. */
const MOST_QUEUE = 100;

/** With a buffer of one round trip and with larger ones. */
const RIVALS = [
  ["cubic", 50],
  ["cubic", 100],
  ["cubic", 400],
  ["reno", 100],
  ["reno", 400],
] as const satisfies [TcpKind, number][];

describe("LEDBAT on 20 Mbit/s and 50 ms", () => {
  for (const queue of [50, 100, 400]) {
    test(`fills 90 % of the idle link within 10 s, start included, before a queue of ${queue} ms`, (t) => {
      const net = bottleneck(queue);
      const flow = new UtpFlow(net, "ledbat");
      flow.start();
      const [first] = shares(net, [flow], 10_000);
      const [later] = shares(net, [flow], 20_000);
      t.diagnostic(`${percent(first!)}, then ${percent(later!)}`);
      assert.ok(first! >= 0.9, percent(first!));
      assert.ok(later! >= 0.9, percent(later!));
    });
  }

  test("adds less delay to the queue than RFC 6817 allows", (t) => {
    const net = bottleneck(1000);
    new UtpFlow(net, "ledbat").start();
    const { counters } = net.right;
    const peaks: number[] = [];
    for (let i = 0; i < 600; i++) {
      counters.maxQueueMillis = 0;
      net.runFor(50);
      peaks.push(counters.maxQueueMillis);
    }
    const most = Math.max(...peaks);
    const mean = peaks.reduce((sum, peak) => sum + peak, 0) / peaks.length;
    t.diagnostic(`at most ${most.toFixed(1)} ms, ${mean.toFixed(1)} ms on average`);
    assert.ok(most < MOST_QUEUE);
    assert.ok(mean < MOST_QUEUE / 2);
  });

  for (const [kind, queue] of RIVALS) {
    test(`leaves two thirds to a ${kind} flow before a queue of ${queue} ms, and takes the link back`, (t) => {
      const net = bottleneck(queue);
      const [utp, tcp] = [new UtpFlow(net, "ledbat"), new TcpFlow(net, kind)];
      utp.start();
      net.runFor(10_000);
      tcp.start();
      net.runFor(10_000);
      const [ours, theirs] = shares(net, [utp, tcp], 20_000);
      tcp.stop();
      net.runFor(10_000);
      const [alone] = shares(net, [utp], 10_000);
      t.diagnostic(`${percent(ours!)} beside ${percent(theirs!)}, then ${percent(alone!)} alone`);
      assert.ok(ours! <= 1 / 3 && theirs! >= 1 / 2);
      assert.ok(alone! >= 0.8, percent(alone!));
    });

    test(`takes no more than a third from a ${kind} flow that was first, before a queue of ${queue} ms`, (t) => {
      const net = bottleneck(queue);
      const [utp, tcp] = [new UtpFlow(net, "ledbat"), new TcpFlow(net, kind)];
      tcp.start();
      net.runFor(10_000);
      utp.start();
      net.runFor(10_000);
      const [ours, theirs] = shares(net, [utp, tcp], 20_000);
      t.diagnostic(`${percent(ours!)} beside ${percent(theirs!)}`);
      assert.ok(ours! <= 1 / 3 && theirs! >= 1 / 2);
    });
  }

  for (const gap of [10, 2000, 10_000]) {
    test(`is shared by four flows that start ${gap} ms apart within a factor of 2`, (t) => {
      const net = bottleneck(200);
      const flows = [1, 2, 3, 4].map((seed) => new UtpFlow(net, "ledbat", seed));
      for (const flow of flows) {
        flow.start();
        net.runFor(gap);
      }
      net.runFor(20_000);
      const each = shares(net, flows, 40_000);
      t.diagnostic(each.map(percent).join(", "));
      assert.ok(Math.max(...each) <= 2 * Math.min(...each));
      assert.ok(each.reduce((sum, share) => sum + share) >= 0.9);
    });
  }
});
