// Your own order of connection attempts, and a time line of what became of them.
// Run it in a clone of 1tp: npx tsx -C 1tp-source examples/own-scheduler.ts
import { isIPv6 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type Candidate, formatReport, net, type Scheduler, type Transport, transports } from "1tp";

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

const server = net.createServer([tcp], (socket) => socket.end());
const [reachable] = await server.listenP({ transportType: "tcp", transportInfo: { address: "127.0.0.1" } });
const nobody = ["::1", "127.0.0.1"].map((address) => ({
  ...reachable!,
  transportInfo: { address, port: 9 },
}));

const socket = new net.Socket([slowTcp], { scheduler: ipv6First });
try {
  await socket.connectP([...nobody, reachable!]);
} catch (error) {
  console.error(`${error}`);
  process.exitCode = 1;
}
console.log(formatReport(socket.report));
socket.destroy();
await server.closeP();
