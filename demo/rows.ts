import { type Signaling, signaling, type Transport, transports } from "1tp";

/** One line of the table: a transport tried alone. */
export interface Row {
  readonly name: string;
  transports(): readonly Transport[];
  /** Reaches no further than its own process, so server and client share one. */
  readonly oneProcess?: boolean;
}

/** The rows of `npm start`, one for each transport. */
export const rows: readonly Row[] = [
  { name: "memory", transports: () => [new transports.memory()], oneProcess: true },
  { name: "tcp", transports: () => [new transports.tcp()] },
  { name: "udp", transports: () => [new transports.udp()] },
  { name: "websocket", transports: () => [new transports.websocket()] },
  { name: "webrtc", transports: () => [new transports.webrtc({ signaling: meetingPoint() })] },
  { name: "relay", transports: () => [new transports.relay({ signaling: meetingPoint() })] },
];

/** The registrar that the demo has started. */
function meetingPoint(): Signaling {
  return new signaling.websocket({ url: process.env.ONETP_REGISTRAR ?? "" });
}

/** The row of that name. */
export function findRow(name: string | undefined): Row {
  const row = rows.find((candidate) => candidate.name === name);
  if (!row) throw new Error(`no row '${name}'; there are ${rows.map((each) => each.name).join(", ")}`);
  return row;
}
