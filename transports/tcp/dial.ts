import type { tcp } from "#platform";
import { OnetpError, systemError } from "../../src/base/errors.ts";
import { ipFamily, ipScope } from "../../src/base/ip.ts";
import { linkLocalZones } from "../../src/base/listening.ts";
import { parseSocketAddress, socketEndpoint } from "../../src/base/socket-address.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import type { DialContext } from "../../src/contract/transport.ts";
import { type NetSocket, TcpChannel } from "./channel.ts";

type Net = NonNullable<typeof tcp>;

/** What every socket gets, dialled or accepted. */
export interface TcpSocketOptions {
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
  readonly keepAliveInitialDelay: number;
}

/** Connects to the one literal of an entry, or to it in every zone it may be in. */
export async function dialTcp(
  net: Net,
  options: TcpSocketOptions,
  endpoint: Endpoint,
  context: DialContext,
): Promise<TcpChannel> {
  const target = parseSocketAddress(endpoint.transportInfo);
  if (!target) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { transport: "tcp" });
  context.signal.throwIfAborted();
  context.onPhase("connect");
  const { address, port } = target;
  const zones = possibleZones(address, context.runtime);
  if (zones.length === 0) return connect(net, options, address, port, endpoint, context.signal);
  return race(context.signal, zones, (zone, signal) => {
    const zoned = `${address}%${zone}`;
    return connect(net, options, zoned, port, socketEndpoint("tcp", zoned, port), signal);
  });
}

function possibleZones(address: string, runtime: Runtime): readonly string[] {
  const lacksZone = ipFamily(address) === 6 && !address.includes("%") && ipScope(address) === "link-local";
  return lacksZone ? linkLocalZones(runtime.interfaces()) : [];
}

/** Connects in all zones at once: the first channel stays, the others go. */
async function race(
  signal: AbortSignal,
  zones: readonly string[],
  open: (zone: string, signal: AbortSignal) => Promise<TcpChannel>,
): Promise<TcpChannel> {
  const racing = new AbortController();
  const stop = (): void => racing.abort(signal.reason);
  signal.addEventListener("abort", stop);
  let winner: TcpChannel | undefined;
  const attempts = zones.map(async (zone) => {
    const channel = await open(zone, racing.signal);
    if (winner) channel.abort();
    winner ??= channel;
    racing.abort();
    return winner;
  });
  try {
    return await Promise.any(attempts);
  } catch (error) {
    throw (error as AggregateError).errors[0];
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Rejects with the error of `net` or the signal's reason, and then leaves no handle behind. */
function connect(
  net: Net,
  options: TcpSocketOptions,
  address: string,
  port: number,
  remote: Endpoint,
  signal: AbortSignal,
): Promise<TcpChannel> {
  const socket = net.connect({
    ...options,
    host: address,
    port,
    autoSelectFamily: false,
    allowHalfOpen: true,
  });
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      signal.removeEventListener("abort", onAbort);
      socket.off("connect", onConnect);
      socket.off("error", onError);
    };
    const onError = (error: unknown): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => onError(signal.reason);
    const onConnect = (): void => {
      if (isSelfConnected(socket, port)) {
        onError(systemError("ECONNREFUSED", "connect", address, port));
        return;
      }
      settle();
      resolve(new TcpChannel(socket, remote));
    };
    signal.addEventListener("abort", onAbort);
    socket.on("connect", onConnect);
    socket.on("error", onError);
  });
}

/** A dial of a free ephemeral port of this host can meet itself (RFC 9293 §3.5, simultaneous open). */
function isSelfConnected(socket: NetSocket, port: number): boolean {
  return socket.localPort === port && socket.localAddress === socket.remoteAddress;
}
