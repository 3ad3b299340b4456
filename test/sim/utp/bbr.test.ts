import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Millis } from "../../../src/contract/clock.ts";
import { Bottleneck } from "../../kit/bottleneck.ts";
import type { LinkOptions } from "../../kit/link.ts";
import { bottleneck, percent, shares, TcpFlow, UtpFlow } from "./flow.ts";

/** One flow from left to right over a link that is the same both ways but for rate and queue. */
function alone(both: LinkOptions, right: LinkOptions): { net: Bottleneck; flow: UtpFlow } {
  const net = new Bottleneck({ right: { ...both, ...right }, left: both });
  const flow = new UtpFlow(net, "bbr");
  flow.start();
  return { net, flow };
}

/** Mbit/s of payload in the next `ms`. */
function goodput(net: Bottleneck, flow: UtpFlow, ms: Millis): number {
  const before = flow.bytes;
  net.runFor(ms);
  return ((flow.bytes - before) * 8) / ms / 1000;
}

describe("BBR on 100 Mbit/s and 50 ms", () => {
  for (const queueMillis of [25, 100, 1000]) {
    for (const [loss, least] of [
      [0, 85],
      [0.01, 80],
    ] as const) {
      test(`carries ${least} Mbit/s from cold with ${100 * loss} % loss each way before a queue of ${queueMillis} ms`, (t) => {
        const { net, flow } = alone({ latency: 25, loss }, { rate: 100e6, queueMillis });
        const rate = goodput(net, flow, 10_000);
        t.diagnostic(`${rate.toFixed(1)} Mbit/s`);
        assert.ok(rate >= least, `${rate} Mbit/s`);
      });
    }
  }

  test("keeps its queue below 30 ms once it knows the link, and half of the time below 10", (t) => {
    const { net } = alone({ latency: 25 }, { rate: 100e6, queueMillis: 1000 });
    net.runFor(2000);
    const { counters } = net.right;
    const peaks: number[] = [];
    for (let i = 0; i < 400; i++) {
      counters.maxQueueMillis = 0;
      net.runFor(50);
      peaks.push(counters.maxQueueMillis);
    }
    peaks.sort((a, b) => a - b);
    t.diagnostic(`median ${peaks[200]!.toFixed(1)} ms, at most ${peaks.at(-1)!.toFixed(1)} ms`);
    assert.ok(peaks.at(-1)! < 30);
    assert.ok(peaks[200]! < 10);
  });

  test("finds a tenth of the bandwidth and takes it all back", () => {
    const { net, flow } = alone({ latency: 25 }, { rate: 100e6, queueMillis: 200 });
    net.runFor(5000);
    net.right.change({ rate: 10e6 });
    net.runFor(5000);
    net.right.counters.maxQueueMillis = 0;
    const narrow = goodput(net, flow, 10_000);
    assert.ok(narrow >= 8.5, `${narrow} of 10 Mbit/s`);
    assert.ok(net.right.counters.maxQueueMillis < 150, `${net.right.counters.maxQueueMillis} ms queue`);
    net.right.change({ rate: 100e6 });
    net.runFor(20_000);
    const wide = goodput(net, flow, 5000);
    assert.ok(wide >= 80, `${wide} of 100 Mbit/s`);
  });

  test("follows the path to three times the round trip", () => {
    const { net, flow } = alone({ latency: 25 }, { rate: 20e6, queueMillis: 200 });
    net.runFor(5000);
    net.right.change({ latency: 100 });
    net.runFor(10_000);
    const rate = goodput(net, flow, 10_000);
    assert.ok(rate >= 16, `${rate} of 20 Mbit/s`);
  });
});

test("BBR sends little again on a near path whose queue holds twenty packets", (t) => {
  const rate = 100e6;
  const { net, flow } = alone({ latency: 0.5 }, { rate, queueMillis: (20 * 1480 * 8000) / rate });
  net.runFor(1000);
  const carried = goodput(net, flow, 2000);
  const { retransmitted, packetsSent } = flow.connection.stats();
  t.diagnostic(`${carried.toFixed(0)} Mbit/s, ${percent(retransmitted / packetsSent)} sent again`);
  assert.ok(carried >= 90, `${carried} of 100 Mbit/s`);
  assert.ok(retransmitted < 0.02 * packetsSent, `${retransmitted} of ${packetsSent} sent again`);
});

test("BBR carries most of what a satellite link does, 300 ms away with 5 % loss and 30 % reordering", (t) => {
  const side = { latency: 150, loss: 0.05, reorder: 0.3, reorderDelay: 20 };
  const { net, flow } = alone(side, { rate: 20e6, queueMillis: 200 });
  net.runFor(10_000);
  const rate = goodput(net, flow, 20_000);
  const { timeouts, retransmitted, packetsSent } = flow.connection.stats();
  t.diagnostic(`${rate.toFixed(1)} of 19 Mbit/s, ${percent(retransmitted / packetsSent)} sent again`);
  assert.ok(rate >= 0.7 * 19, `${rate} Mbit/s`);
  assert.ok(retransmitted < 0.1 * packetsSent, `${retransmitted} of ${packetsSent} sent again`);
  assert.equal(timeouts, 0);
});

describe("BBR on 20 Mbit/s and 50 ms", () => {
  for (const queue of [50, 100, 200, 400]) {
    for (const first of ["BBR", "TCP"]) {
      test(`has between 25 and 70 % beside cubic before a queue of ${queue} ms where ${first} was first`, (t) => {
        const net = bottleneck(queue);
        const [ours, tcp] = [new UtpFlow(net, "bbr"), new TcpFlow(net, "cubic")];
        (first === "BBR" ? ours : tcp).start();
        net.runFor(10_000);
        (first === "BBR" ? tcp : ours).start();
        net.runFor(10_000);
        const [share, theirs] = shares(net, [ours, tcp], 20_000);
        t.diagnostic(`${percent(share!)} beside ${percent(theirs!)}`);
        assert.ok(share! >= 0.25 && share! <= 0.7, percent(share!));
        assert.ok(share! + theirs! >= 0.9);
      });
    }
  }

  for (const queue of [50, 200]) {
    for (const gap of [10, 2000, 10_000]) {
      test(`is shared by four flows ${gap} ms apart within a factor of 2 before a queue of ${queue} ms`, (t) => {
        const net = bottleneck(queue);
        const flows = [1, 2, 3, 4].map((seed) => new UtpFlow(net, "bbr", seed));
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
  }

  test("leaves the link to TCP while the application has nothing to say, and finds its share again", () => {
    const net = bottleneck(100);
    const [ours, tcp] = [new UtpFlow(net, "bbr"), new TcpFlow(net, "cubic")];
    ours.start();
    net.runFor(5000);
    ours.pause(true);
    net.runFor(1000);
    tcp.start();
    net.runFor(20_000);
    ours.pause(false);
    net.runFor(10_000);
    const [share] = shares(net, [ours, tcp], 20_000);
    assert.ok(share! >= 0.25 && share! <= 0.7, percent(share!));
  });
});
