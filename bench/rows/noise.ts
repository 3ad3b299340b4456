import { transports } from "../../src/index.ts";
import { atLeast, atMost, type Row } from "../contest.ts";
import { distant } from "../distance.ts";
import { nodeTls } from "../stacks/node-tls.ts";
import { onetp } from "../stacks/onetp.ts";
import { connects } from "../workloads/connects.ts";
import { firstEcho } from "../workloads/first-echo.ts";
import { throughput } from "../workloads/throughput.ts";

const tcp = new transports.tcp();
/** Packets of 1400 bytes of payload, as on a path of Ethernet. */
const udp = new transports.udp({ maxPayload: 1400 });
/** Half of a round trip of 50 ms. */
const via = distant(25);

/** What security costs: sessions over tcp against TLS 1.3, and over udp against bare uTP. */
export const rows: readonly Row[] = [
  {
    figure: "tcp AESGCM: throughput",
    workload: throughput,
    ours: onetp(tcp, { suite: "AESGCM" }),
    peer: nodeTls(),
    target: atLeast(0.8),
  },
  {
    figure: "tcp ChaChaPoly: throughput",
    workload: throughput,
    ours: onetp(tcp, { suite: "ChaChaPoly" }),
    peer: nodeTls(),
    target: atLeast(0.6),
  },
  {
    figure: "tcp noise: connects",
    workload: connects,
    ours: onetp(tcp, {}),
    peer: nodeTls(),
    target: atLeast(2),
  },
  {
    figure: "tcp noise: first echoed byte, 50 ms away",
    workload: firstEcho,
    ours: onetp(tcp, { via }),
    peer: nodeTls(via),
    target: atMost(1.1),
  },
  {
    figure: "udp noise: throughput against bare uTP",
    workload: throughput,
    ours: onetp(udp, {}),
    peer: onetp(udp, { security: "none" }),
    target: atLeast(0.9),
  },
];
