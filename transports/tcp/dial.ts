import { type tcp, tunnels } from "#platform";
import { OnetpError, systemError } from "../../src/base/errors.ts";
import { isHostName } from "../../src/base/proxy.ts";
import { parseSocketAddress, socketEndpoint, withoutZone } from "../../src/base/socket-address.ts";
import { openFirst, zonedAddresses } from "../../src/base/zones.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { DialContext } from "../../src/contract/transport.ts";
import { isSelfConnected, TcpChannel } from "../../src/host/tcp-channel.ts";

type TunnelTarget = Parameters<Awaited<ReturnType<NonNullable<typeof tunnels>>>["openTunnel"]>[1];
type Net = NonNullable<typeof tcp>;

/** What every socket gets, dialled or accepted. */
export interface TcpSocketOptions {
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
  readonly keepAliveInitialDelay: number;
}

/** Connects to the literal of an entry, in every zone it may be in. */
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
  return openFirst(
    zonedAddresses(address, context.runtime),
    context.signal,
    (literal, signal) => {
      const remote = literal === address ? endpoint : socketEndpoint("tcp", literal, port);
      return connect(net, options, literal, port, remote, signal);
    },
    (late) => late.abort(),
  );
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

/** Where a proxy is asked to connect to: what `dialTcp` takes, and host names. */
export function proxyTarget(info: unknown): TunnelTarget | undefined {
  const target = parseSocketAddress(info);
  // A zone means nothing on another host.
  if (target) return { host: withoutZone(target.address), port: target.port };
  if (typeof info !== "object" || info === null || !("address" in info) || !("port" in info))
    return undefined;
  const { address: host, port } = info;
  if (typeof host !== "string" || !isHostName(host) || !isPort(port)) return undefined;
  return { host, port };
}

function isPort(port: unknown): port is number {
  return typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65535;
}

/** Connects through a proxy, which looks up the name if there is one. */
export async function dialThroughProxy(
  proxy: string,
  options: TcpSocketOptions,
  endpoint: Endpoint,
  { signal, onPhase }: DialContext,
): Promise<TcpChannel> {
  const target = proxyTarget(endpoint.transportInfo);
  if (!target) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { transport: "tcp" });
  signal.throwIfAborted();
  onPhase("connect");
  const { openTunnel } = await tunnels!();
  const socket = await openTunnel(proxy, target, signal);
  if (signal.aborted) {
    socket.destroy();
    throw signal.reason;
  }
  socket.setNoDelay(options.noDelay);
  socket.setKeepAlive(options.keepAlive, options.keepAliveInitialDelay);
  const { bytesRead, bytesWritten, readableLength } = socket;
  return new TcpChannel(socket, endpoint, {
    before: { bytesRead: bytesRead - readableLength, bytesWritten },
  });
}
