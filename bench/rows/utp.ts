import { transports } from "../../src/index.ts";
import { atLeast, oursAtLeast, oursAtMost, type Row, type Target, type Workload } from "../contest.ts";
import { nodeNet } from "../stacks/node-net.ts";
import { onetp } from "../stacks/onetp.ts";
import { onetpUtp, onetpUtpOnePort } from "../stacks/onetp-utp.ts";
import { simulated } from "../stacks/simulated.ts";
import { utpPunch } from "../stacks/utp-punch.ts";
import { answers } from "../workloads/answers.ts";
import { idleMemoryOfSide } from "../workloads/holdings.ts";
import { besideTcp, idleLink } from "../workloads/links.ts";
import { throughput } from "../workloads/throughput.ts";

const ledbat = (workload: Workload, target: Target): Row => ({
  figure: `LEDBAT, 20 Mbit/s, 50 ms: ${workload.name}`,
  workload,
  ours: simulated,
  target,
});

/** What uTP has to reach at least (order B). */
export const rows: readonly Row[] = [
  {
    figure: "1tp/utp, 1400-byte packets: throughput",
    workload: throughput,
    ours: onetpUtp({ mtu: 1400 }),
    peer: utpPunch,
    target: atLeast(1.3),
  },
  {
    figure: `1tp/utp: ${idleMemoryOfSide.name}`,
    workload: idleMemoryOfSide,
    ours: onetpUtpOnePort(),
    peer: nodeNet,
    target: oursAtMost(15),
  },
  {
    figure: `udp plain: ${idleMemoryOfSide.name}`,
    workload: idleMemoryOfSide,
    ours: onetp(new transports.udp(), { security: "none" }),
    peer: nodeNet,
    target: oursAtMost(15),
  },
  {
    figure: `1tp/utp, one port: ${answers.name}`,
    workload: answers,
    ours: onetpUtpOnePort(),
    target: oursAtLeast(10_000),
  },
  ledbat(idleLink("ledbat"), oursAtLeast(90)),
  ledbat(besideTcp("ledbat", 50), oursAtMost(33.3)),
  ledbat(besideTcp("ledbat", 200), oursAtMost(33.3)),
];
