import { aboveAtMost, atLeast, oursAtMost, type Row } from "../contest.ts";
import { forwardedSignals, openedDialogs, registeredClients } from "../stacks/registrar.ts";
import { bareRelay, plainRelay, secureRelay } from "../stacks/relays.ts";
import { webSocketEcho } from "../stacks/web-socket.ts";
import { opening } from "../workloads/first-echo.ts";
import { idleMemoryOfServer } from "../workloads/holdings.ts";
import { messages } from "../workloads/messages.ts";
import { throughput } from "../workloads/throughput.ts";

/** What a registrar costs beside the WebSockets it stands on (order D). */
export const rows: readonly Row[] = [
  {
    figure: `registrar: ${idleMemoryOfServer.name}`,
    workload: idleMemoryOfServer,
    ours: registeredClients,
    peer: webSocketEcho,
    target: aboveAtMost(12),
  },
  {
    figure: "registrar: signals forwarded against echoes",
    workload: messages,
    ours: forwardedSignals,
    peer: webSocketEcho,
    target: atLeast(0.5),
  },
  {
    figure: "registrar: opening a dialog, connecting included",
    workload: opening,
    ours: openedDialogs,
    target: oursAtMost(9),
  },
  {
    figure: "relay plain: throughput",
    workload: throughput,
    ours: plainRelay,
    peer: bareRelay,
    target: atLeast(0.5),
  },
  {
    figure: "relay encrypted: throughput",
    workload: throughput,
    ours: secureRelay,
    peer: bareRelay,
    target: atLeast(0.5),
  },
];
