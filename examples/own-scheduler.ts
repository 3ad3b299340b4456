// Your own order of connection attempts, and a time line of what became of them.
// Run it in a clone of 1tp: npx tsx -C 1tp-source examples/own-scheduler.ts
import { isIPv6 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type AttemptReport, type Candidate, net, type Scheduler, type Transport, transports } from "1tp";

/** IPv6 has 100 ms for itself; then everything else begins at once. */
const ipv6First: Scheduler = {
  plan(candidates) {
    const first = candidates.filter(isOverIpv6);
    const others = candidates.filter((candidate) => !isOverIpv6(candidate));
    return [
      ...first.map((candidate) => ({ candidate, startAfter: 0 })),
      ...others.map((candidate, i) => ({ candidate, startAfter: i === 0 ? 100 : 0 })),
    ];
  },
};

function isOverIpv6({ endpoint }: Candidate): boolean {
  return isIPv6(`${endpoint.transportInfo.address}`);
}

/** tcp over slow lines, so that there is something to see: 2 s to IPv6 addresses, 40 ms to others. */
const tcp = new transports.tcp();
const slowTcp: Transport = {
  type: tcp.type,
  traits: tcp.traits,
  connectTimeout: tcp.connectTimeout,
  accepts: (endpoint) => tcp.accepts(endpoint),
  async dial(endpoint, context) {
    const latency = isIPv6(`${endpoint.transportInfo.address}`) ? 2000 : 40;
    await sleep(latency, undefined, { signal: context.signal });
    return tcp.dial(endpoint, context);
  },
};

const tcpAt = (transportInfo: { address: string; port?: number }) => ({
  transportType: "tcp",
  transportInfo,
});
const server = net.createServer([tcp], (socket) => socket.end());
const [reachable] = await server.listenP(tcpAt({ address: "127.0.0.1" }));
const nobody = [tcpAt({ address: "::1", port: 9 }), tcpAt({ address: "127.0.0.1", port: 9 })];

const socket = new net.Socket([slowTcp], { scheduler: ipv6First });
try {
  await socket.connectP([...nobody, reachable!]);
} catch (error) {
  console.error(`${error}`);
  process.exitCode = 1;
}
printTimeLine(socket.report);
socket.destroy();
await server.closeP();

/** One row for each attempt: where to, when, and what became of it. */
function printTimeLine(report: readonly AttemptReport[]): void {
  const width = 40;
  const total = Math.max(1, ...report.map(({ end = 0 }) => end));
  const column = (ms: number): number => Math.round((ms / total) * width);
  for (const { transport, endpoint, start = total, end = total, outcome, error } of report) {
    const { address, port } = endpoint.transportInfo;
    const bar = "=".repeat(Math.max(1, column(end) - column(start))).padStart(column(end));
    const times = `${start.toFixed(0)} to ${end.toFixed(0)} ms`.padStart(14);
    const name = `${transport} ${address} ${port}`.padEnd(22);
    console.log(`${name} |${bar.padEnd(width)}| ${times}  ${outcome} ${error?.message ?? ""}`.trimEnd());
  }
}
