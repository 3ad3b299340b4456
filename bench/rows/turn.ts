import { transports } from "../../src/index.ts";
import { atLeast, type Row } from "../contest.ts";
import { onetp } from "../stacks/onetp.ts";
import { onetpTurn } from "../stacks/turn.ts";
import { throughput } from "../workloads/throughput.ts";

/** The payload that fits through a relay. */
const maxPayload = 1428;

/** uTP through a relay on the same machine against uTP directly, in packets of the same size (order H). */
export const rows: readonly Row[] = (["udp", "tcp"] as const).map((turnProtocol) => ({
  figure: `turn-${turnProtocol} plain: throughput`,
  workload: throughput,
  ours: onetpTurn(turnProtocol),
  peer: onetp(new transports.udp({ maxPayload }), { security: "none" }),
  target: atLeast(0.5),
}));
