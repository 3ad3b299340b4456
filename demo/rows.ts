import { type Signaling, signaling, type Transport, transports } from "1tp";
import { TURN_USER } from "./turn-servers.ts";

/** One line of the table: a transport tried alone. */
export interface Row {
  readonly name: string;
  transports(): readonly Transport[];
  /** Server and client are at two homes, whose NATs are the kernel's if this process may make them; else they are as it says. */
  readonly behindNats?: "simulated" | "left out";
  /** Reaches no further than its own process, so server and client share one. */
  readonly oneProcess?: boolean;
  /** An environment variable without which it is not run, and what it then lacks. */
  readonly needs?: { readonly variable: string; readonly lacking: string };
}

/** The rows of `npm start`, one for each transport. */
export const rows: readonly Row[] = [
  { name: "memory", transports: () => [new transports.memory()], oneProcess: true },
  { name: "tcp", transports: () => [new transports.tcp()] },
  { name: "udp", transports: () => [new transports.udp()] },
  {
    name: "udp-punch",
    transports: () => [new transports["udp-punch"]({ signaling: meetingPoint() })],
    behindNats: "simulated",
  },
  {
    name: "tcp-punch",
    transports: () => [new transports["tcp-punch"]({ signaling: meetingPoint() })],
    behindNats: "left out",
  },
  { name: "websocket", transports: () => [new transports.websocket()] },
  { name: "webrtc", transports: () => [new transports.webrtc({ signaling: meetingPoint() })] },
  { name: "turn-udp", transports: () => [turn("udp", "DEMO_TURN_UDP")] },
  {
    name: "turn-tcp",
    transports: () => [turn("tcp", "DEMO_TURN_TCP")],
    needs: { variable: "DEMO_TURN_TCP", lacking: "coturn (Debian package coturn): node-turn has no TCP" },
  },
  { name: "relay", transports: () => [new transports.relay({ signaling: meetingPoint() })] },
];

/** The registrar that the demo has started. */
function meetingPoint(): Signaling {
  return new signaling.websocket({ url: process.env.ONETP_REGISTRAR ?? "" });
}

/** At the TURN server that the demo has started. */
function turn(turnProtocol: "udp" | "tcp", variable: string): Transport {
  const turnPort = Number(process.env[variable]);
  return new transports.turn({
    ...{ turnServer: "127.0.0.1", turnPort, turnProtocol },
    ...TURN_USER,
    signaling: meetingPoint(),
  });
}

/** The row of that name. */
export function findRow(name: string | undefined): Row {
  const row = rows.find((candidate) => candidate.name === name);
  if (!row) throw new Error(`no row '${name}'; there are ${rows.map((each) => each.name).join(", ")}`);
  return row;
}
