import { transports } from "../../src/index.ts";
import {
  atLeast,
  atMost,
  oursAtLeast,
  oursAtMost,
  type Row,
  type Stack,
  type Target,
  type Workload,
} from "../contest.ts";
import { datagrams } from "../stacks/datagrams.ts";
import { nodeNet } from "../stacks/node-net.ts";
import { onetp } from "../stacks/onetp.ts";
import { simulated } from "../stacks/simulated.ts";
import { udxNative } from "../stacks/udx-native.ts";
import { utpNative } from "../stacks/utp-native.ts";
import { utpPunch } from "../stacks/utp-punch.ts";
import { connects } from "../workloads/connects.ts";
import { firstEcho } from "../workloads/first-echo.ts";
import { addedQueue, fairness, fastLink } from "../workloads/links.ts";
import { roundTrips } from "../workloads/round-trips.ts";
import { processorTime, throughput } from "../workloads/throughput.ts";

/** What a new UDP socket of Linux has. */
const STOCK_BUFFER = 212_992;

const plain = { security: "none" } as const;
const large = onetp(new transports.udp(), plain);
const usual = onetp(new transports.udp({ maxPayload: 1400 }), plain);
const stock = onetp(new transports.udp({ maxPayload: 1400, bufferSize: STOCK_BUFFER }), plain);

const row = (scene: string, workload: Workload, ours: Stack, peer: Stack, target: Target): Row => ({
  figure: `udp plain, ${scene}: ${workload.name}`,
  workload,
  ours,
  peer,
  target,
});

const simulation = (workload: Workload, target: Target): Row => ({
  figure: `LEDBAT: ${workload.name}`,
  workload,
  ours: simulated,
  target,
});

/** How fast uTP is to be (order E). */
export const rows: readonly Row[] = [
  row("1400-byte packets", throughput, usual, utpPunch, atLeast(1.5)),
  row("1400-byte packets", throughput, usual, datagrams, atLeast(0.6)),
  row("1400-byte packets, stock buffers", throughput, stock, datagrams, atLeast(0.4)),
  row("own host", throughput, large, utpNative, atLeast(2.5)),
  row("own host", processorTime, large, utpNative, atMost(0.5)),
  row("own host", throughput, large, udxNative, atLeast(2)),
  row("own host", processorTime, large, udxNative, atMost(0.5)),
  row("own host", roundTrips, large, nodeNet, atLeast(0.8)),
  row("own host", firstEcho, large, nodeNet, atMost(1)),
  row("own host", connects, large, nodeNet, atLeast(0.7)),
  simulation(fastLink, oursAtLeast(75)),
  simulation(addedQueue, oursAtMost(80)),
  simulation(fairness, oursAtMost(2)),
];
