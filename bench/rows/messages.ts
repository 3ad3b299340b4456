import { transports } from "../../src/index.ts";
import { atLeast, type Row } from "../contest.ts";
import { bareWrtc } from "../stacks/bare-wrtc.ts";
import { bareWs } from "../stacks/bare-ws.ts";
import { onetp } from "../stacks/onetp.ts";
import { onetpWebRtc } from "../stacks/onetp-webrtc.ts";
import { throughput } from "../workloads/throughput.ts";

const websocket = new transports.websocket();

/** What streams over messages cost (order I): half-close, credit and sessions against the bare thing. */
export const rows: readonly Row[] = [
  {
    figure: "websocket plain: throughput",
    workload: throughput,
    ours: onetp(websocket, { security: "none" }),
    peer: bareWs,
    target: atLeast(0.7),
  },
  {
    figure: "websocket noise: throughput",
    workload: throughput,
    ours: onetp(websocket, {}),
    peer: bareWs,
    target: atLeast(0.7),
  },
  {
    figure: "webrtc plain: throughput",
    workload: throughput,
    ours: onetpWebRtc({ security: "none" }),
    peer: bareWrtc,
    target: atLeast(0.9),
  },
  {
    figure: "webrtc noise: throughput",
    workload: throughput,
    ours: onetpWebRtc({}),
    peer: bareWrtc,
    target: atLeast(0.9),
  },
];
