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
import { addedQueue, besideTcp, type Congestion, fairness, fastLink, satellite } from "../workloads/links.ts";
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

const simulation = (name: Congestion, workload: Workload, target: Target, note = ""): Row => ({
  figure: `${name.toUpperCase()}: ${workload.name}${note}`,
  workload,
  ours: simulated,
  target,
});

const onLinks: readonly Row[] = [
  simulation("ledbat", fastLink("ledbat"), oursAtLeast(75)),
  simulation("ledbat", addedQueue("ledbat"), oursAtMost(80)),
  simulation("ledbat", fairness("ledbat"), oursAtMost(2)),
  simulation("bbr", fastLink("bbr"), oursAtLeast(85)),
  simulation("bbr", fastLink("bbr", 0.01), oursAtLeast(80)),
  simulation("bbr", satellite("bbr"), oursAtLeast(50)),
  ...[50, 200].flatMap((queue) => [
    simulation("bbr", besideTcp("bbr", queue), oursAtLeast(25)),
    simulation("bbr", besideTcp("bbr", queue), oursAtMost(70), ", not too much"),
    simulation("bbr", fairness("bbr", queue), oursAtMost(2)),
  ]),
];

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
  ...onLinks,
];
