import { checkPort } from "../base/argument.ts";
import { nodeError } from "../base/errors.ts";
import { ipFamily, ipScope } from "../base/ip.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { Runtime } from "../contract/runtime.ts";
import { dialFrom } from "../host/dial.ts";
import type { UtpChannel } from "../host/utp-channel.ts";
import type { ConnectionSettings } from "./options.ts";
import { openPort, type Port, type PortHolder } from "./port.ts";
import { ANY, type Family, LOOPBACK, resolveHost } from "./resolution.ts";

/** Where a connection is to go. */
export interface Target {
  /** A name or a literal. */
  readonly host: string;
  readonly port: number | string;
}

/** Where a connection leaves from. */
export interface Departure {
  /** Of a port of the connection's own. */
  readonly family: Family;
  /** A port that others use as well, held for `holder` when it is open. */
  readonly shared?: (holder: PortHolder) => Promise<Port>;
}

/** Dials. Rejects with the error of the name service, of the socket or of the connection, or with the signal's reason. */
export async function dial(
  departure: Departure,
  target: Target,
  settings: ConnectionSettings,
  signal: AbortSignal,
): Promise<UtpChannel> {
  const { runtime, engine, framing } = settings;
  const holder: PortHolder = {};
  let port = await departure.shared?.(holder);
  try {
    const remote = await resolveTarget(target, port?.family ?? departure.family, runtime);
    const address = ANY[ipFamily(remote.address)];
    // Only a socket for one peer hears that nobody is there.
    port ??= await openPort({ address, connect: remote }, runtime, holder);
    const from = port;
    signal.throwIfAborted();
    if (from.closing) throw closedSocket();
    return await dialFrom(from, remote, engine, signal, (connection) => from.channel(connection, framing));
  } finally {
    port?.release(holder);
  }
}

/** The socket address of a target; the wildcard address means this host. Rejects as `resolveHost`, or ERR_SOCKET_BAD_PORT. */
export async function resolveTarget(
  target: Target,
  family: Family,
  runtime: Runtime,
): Promise<SocketAddress> {
  const port = checkRemotePort(target.port);
  const address = await resolveHost(target.host, family, runtime);
  return { address: ipScope(address) === "unspecified" ? LOOPBACK[ipFamily(address)] : address, port };
}

/** A port to send to, 1 to 65535. @throws ERR_SOCKET_BAD_PORT */
export function checkRemotePort(value: number | string): number {
  const port = checkPort("Port", value);
  if (port > 0) return port;
  throw nodeError("ERR_SOCKET_BAD_PORT", "Port should be > 0 and < 65536. Received 0.", RangeError);
}

/** What dgram says of a socket that is closed. */
export function closedSocket(): Error {
  return nodeError("ERR_SOCKET_DGRAM_NOT_RUNNING", "Not running");
}
