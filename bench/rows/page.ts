import { transports } from "../../src/index.ts";
import { atLeast, type Row } from "../contest.ts";
import { bareWs } from "../stacks/bare-ws.ts";
import { onetp } from "../stacks/onetp.ts";
import { BARE_PAGE, inPage, ONETP_PAGE } from "../stacks/page.ts";
import { pageThroughput } from "../workloads/page-throughput.ts";

const websocket = onetp(new transports.websocket(), {});

/** What a page in Chromium sends to Node (order I): sessions in JavaScript against the browser's bare WebSocket. */
export const rows: readonly Row[] = [
  {
    figure: "page to Node, websocket noise: throughput",
    workload: pageThroughput,
    ours: inPage(websocket, ONETP_PAGE),
    peer: inPage(bareWs, BARE_PAGE),
    target: atLeast(0.7),
  },
];
