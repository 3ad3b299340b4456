import { Bottleneck } from "../../test/kit/bottleneck.ts";
import { bottleneck, shares, TcpFlow, UtpFlow } from "../../test/sim/utp/flow.ts";
import type { Workload } from "../contest.ts";

/** Our engine in virtual time over a simulated link: the same figure on every machine. */
function simulation(name: string, unit: string, run: () => number): Workload {
  return { name, unit, bursts: 1, serve: () => {}, measure: async () => run() };
}

/** 20 Mbit/s, 50 ms: how much of the link is filled in 10 s from cold. */
export const idleLink = simulation("share of an idle link", "%", () => {
  const net = bottleneck(100);
  const flow = new UtpFlow(net, "ledbat");
  flow.start();
  return 100 * shares(net, [flow], 10_000)[0]!;
});

/** The same beside a TCP flow that starts 10 s later, between 10 and 30 s after that. */
export function besideTcp(queue: number): Workload {
  return simulation(`share beside TCP cubic, queue ${queue} ms`, "%", () => {
    const net = bottleneck(queue);
    const [ours, tcp] = [new UtpFlow(net, "ledbat"), new TcpFlow(net, "cubic")];
    ours.start();
    net.runFor(10_000);
    tcp.start();
    net.runFor(10_000);
    return 100 * shares(net, [ours, tcp], 20_000)[0]!;
  });
}

/** How much more than the smallest the largest of four flows gets that start 2 s apart. */
export const fairness = simulation("largest ÷ smallest of four flows", "", () => {
  const net = bottleneck(200);
  const flows = [1, 2, 3, 4].map((seed) => new UtpFlow(net, "ledbat", seed));
  for (const flow of flows) {
    flow.start();
    net.runFor(2000);
  }
  net.runFor(20_000);
  const each = shares(net, flows, 40_000);
  return Math.max(...each) / Math.min(...each);
});

/** 100 Mbit/s, 50 ms: payload of 10 s from cold. */
export const fastLink = simulation("10 s from cold, 100 Mbit/s, 50 ms", "Mbit/s", () => {
  const { net, flow } = fast();
  net.runFor(10_000);
  return (flow.bytes * 8) / 10_000 / 1000;
});

/** The most that the queue of that link adds to a round trip within 30 s. */
export const addedQueue = simulation("queue added to 100 Mbit/s, 50 ms", "ms", () => {
  const { net } = fast();
  net.runFor(30_000);
  return net.right.counters.maxQueueMillis;
});

function fast() {
  const net = new Bottleneck({
    right: { rate: 100e6, latency: 25, queueMillis: 1000 },
    left: { latency: 25 },
  });
  const flow = new UtpFlow(net, "ledbat");
  flow.start();
  return { net, flow };
}
