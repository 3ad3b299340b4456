import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Bottleneck } from "../../kit/bottleneck.ts";
import { SEGMENT_PAYLOAD, type TcpKind, TcpReceiver, TcpSender } from "../../kit/tcp-flow.ts";

const RATE = 10e6;

function network(queueMillis: number, loss = 0): Bottleneck {
  return new Bottleneck({ right: { rate: RATE, latency: 20, queueMillis, loss }, left: { latency: 20 } });
}

function flow(net: Bottleneck, kind: TcpKind) {
  const receiver = net.join("right", new TcpReceiver());
  const sender = net.join("left", new TcpSender(kind, receiver.address));
  return { sender, receiver, start: () => sender.call(() => {}) };
}

/** The share of the link in the next `ms`. */
function shareOf(net: Bottleneck, { receiver }: ReturnType<typeof flow>, ms: number): number {
  const before = receiver.engine.bytes;
  net.runFor(ms);
  return ((receiver.engine.bytes - before) * 8000) / ms / RATE;
}

describe("a bottleneck", () => {
  test("carries what each engine sends to the one it names, and lets nobody pass the rate", () => {
    const net = network(50);
    const flows = [flow(net, "reno"), flow(net, "reno")];
    for (const { start } of flows) start();
    net.runFor(10_000);
    const { counters } = net.right;
    assert.ok(counters.deliveredBytes * 8 <= RATE * 10);
    const received = flows.map(({ receiver }) => receiver.engine.bytes / SEGMENT_PAYLOAD);
    assert.equal(received[0]! + received[1]!, counters.delivered);
    assert.ok(received.every((segments) => segments > 1000));
  });

  test("stops the clock where it is told to, also when nothing happens", () => {
    const net = network(50);
    const from = net.clock.now();
    net.runFor(1234);
    assert.equal(net.clock.now() - from, 1234);
  });

  test("tells what is sent to nobody, and carries on", () => {
    const net = network(50);
    const nobody = { address: "10.9.9.9", port: 1 };
    const strays: string[] = [];
    net.onStray = ({ to }) => strays.push(to.address);
    net.join("left", new TcpSender("reno", nobody)).call(() => {});
    net.runFor(500);
    assert.ok(strays.length > 0 && strays.every((address) => address === nobody.address));
  });
});

describe("a TCP flow", () => {
  for (const kind of ["reno", "cubic"] as const) {
    test(`of ${kind} fills a link whose queue is a round trip long`, () => {
      const net = network(40);
      const tcp = flow(net, kind);
      tcp.start();
      net.runFor(3000);
      assert.ok(shareOf(net, tcp, 20_000) > 0.93);
      assert.ok(net.right.counters.maxQueueMillis > 35);
    });

    test(`of ${kind} has little of a link that loses 1 %`, () => {
      const net = network(100, 0.01);
      const tcp = flow(net, kind);
      tcp.start();
      const share = shareOf(net, tcp, 20_000);
      // Mathis et al. 1997: 1.22 segments per round trip, over the root of the loss.
      const model = (1.22 * SEGMENT_PAYLOAD * 8) / 0.04 / Math.sqrt(0.01) / RATE;
      assert.ok(share > model / 2 && share < 2 * model, `${share} where ${model} is expected`);
    });

    test(`of ${kind} shares a link with another`, () => {
      const net = network(80);
      const [one, other] = [flow(net, kind), flow(net, kind)];
      one.start();
      net.runFor(2000);
      other.start();
      net.runFor(20_000);
      const before = other.receiver.engine.bytes;
      const share = shareOf(net, one, 40_000);
      const rest = ((other.receiver.engine.bytes - before) * 8000) / 40_000 / RATE;
      assert.ok(share + rest > 0.93);
      assert.ok(Math.min(share, rest) > 0.25, `${share} beside ${rest}`);
    });

    test(`of ${kind} survives a cable that is cut for a second, and ends when it is stopped`, () => {
      const net = network(80);
      const tcp = flow(net, kind);
      tcp.start();
      net.runFor(2000);
      net.right.change({ cut: true });
      net.runFor(1000);
      net.right.change({ cut: false });
      net.runFor(2000);
      assert.ok(shareOf(net, tcp, 5000) > 0.9);
      tcp.sender.engine.stopped = true;
      net.runFor(2000);
      assert.equal(shareOf(net, tcp, 1000), 0);
      assert.equal(tcp.sender.engine.pollTimeout(), undefined);
    });
  }
});
