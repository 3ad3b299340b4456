import { transports } from "../../src/index.ts";
import { atLeast, atMost, oursAtMost, type Row, type Target, type Workload } from "../contest.ts";
import { nodeNet } from "../stacks/node-net.ts";
import { onetp } from "../stacks/onetp.ts";
import { connects } from "../workloads/connects.ts";
import { handlesLeft, heapLeft, idleMemory } from "../workloads/holdings.ts";
import { roundTrips } from "../workloads/round-trips.ts";
import { throughput } from "../workloads/throughput.ts";

const plain = onetp(new transports.tcp(), { security: "none" });

const row = (workload: Workload, target: Target): Row => ({
  figure: `tcp plain: ${workload.name}`,
  workload,
  ours: plain,
  peer: nodeNet,
  target,
});

/** What the facade costs: plain bytes over 1tp's tcp against the module it stands on. */
export const rows: readonly Row[] = [
  row(throughput, atLeast(0.9)),
  row(connects, atLeast(0.6)),
  row(roundTrips, atLeast(0.8)),
  row(idleMemory, atMost(1.5)),
  row(handlesLeft, oursAtMost(0)),
  row(heapLeft, oursAtMost(64)),
];
