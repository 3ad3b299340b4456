import { Bottleneck } from "../../test/kit/bottleneck.ts";
import { bottleneck, shares, TcpFlow, UtpFlow } from "../../test/sim/utp/flow.ts";
import type { Workload } from "../contest.ts";

/** Names of the engine's controllers, as `congestion` takes them. */
export type Congestion = "ledbat" | "bbr";

/** Our engine in virtual time over a simulated link: the same figure on every machine. */
function simulation(name: string, unit: string, run: () => number): Workload {
  return { name, unit, bursts: 1, serve: () => {}, measure: async () => run() };
}

/** 20 Mbit/s, 50 ms: how much of the link is filled in 10 s from cold. */
export const idleLink = (congestion: Congestion): Workload =>
  simulation("share of an idle link", "%", () => {
    const net = bottleneck(100);
    const flow = new UtpFlow(net, congestion);
    flow.start();
    return 100 * shares(net, [flow], 10_000)[0]!;
  });

/** The same beside a TCP flow that starts 10 s later, between 10 and 30 s after that. */
export const besideTcp = (congestion: Congestion, queue: number): Workload =>
  simulation(`share beside TCP cubic, queue ${queue} ms`, "%", () => {
    const net = bottleneck(queue);
    const [ours, tcp] = [new UtpFlow(net, congestion), new TcpFlow(net, "cubic")];
    ours.start();
    net.runFor(10_000);
    tcp.start();
    net.runFor(10_000);
    return 100 * shares(net, [ours, tcp], 20_000)[0]!;
  });

/** How much more than the smallest the largest of four flows gets that start 2 s apart. */
export const fairness = (congestion: Congestion, queue = 200): Workload =>
  simulation(`largest ÷ smallest of four flows, queue ${queue} ms`, "", () => {
    const net = bottleneck(queue);
    const flows = [1, 2, 3, 4].map((seed) => new UtpFlow(net, congestion, seed));
    for (const flow of flows) {
      flow.start();
      net.runFor(2000);
    }
    net.runFor(20_000);
    const each = shares(net, flows, 40_000);
    return Math.max(...each) / Math.min(...each);
  });

/** 100 Mbit/s, 50 ms: payload of 10 s from cold; `loss` is a share of the packets each way. */
export const fastLink = (congestion: Congestion, loss = 0): Workload =>
  simulation(`10 s from cold, 100 Mbit/s, 50 ms, ${100 * loss} % loss`, "Mbit/s", () => {
    const { net, flow } = fast(congestion, loss);
    net.runFor(10_000);
    return (flow.bytes * 8) / 10_000 / 1000;
  });

/** The most that the queue of that link adds to a round trip within 30 s. */
export const addedQueue = (congestion: Congestion): Workload =>
  simulation("queue added to 100 Mbit/s, 50 ms", "ms", () => {
    const { net } = fast(congestion, 0);
    net.runFor(30_000);
    return net.right.counters.maxQueueMillis;
  });

function fast(congestion: Congestion, loss: number) {
  const net = new Bottleneck({
    right: { rate: 100e6, latency: 25, queueMillis: 1000, loss },
    left: { latency: 25, loss },
  });
  const flow = new UtpFlow(net, congestion);
  flow.start();
  return { net, flow };
}

/** 20 Mbit/s, 300 ms, 5 % loss and 30 % reordering each way: payload of 30 s from cold, as a share of what is not lost. */
export const satellite = (congestion: Congestion): Workload =>
  simulation("share of a satellite link, 300 ms, 5 % loss, 30 % reordering", "%", () => {
    const each = { latency: 150, loss: 0.05, reorder: 0.3, reorderDelay: 20 };
    const net = new Bottleneck({ right: { ...each, rate: 20e6, queueMillis: 200 }, left: each });
    const flow = new UtpFlow(net, congestion);
    flow.start();
    net.runFor(30_000);
    return (100 * flow.bytes * 8) / 30 / (20e6 * (1 - each.loss));
  });
