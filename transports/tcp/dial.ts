import type { tcp } from "#platform";
import { OnetpError, systemError } from "../../src/base/errors.ts";
import { parseSocketAddress, socketEndpoint } from "../../src/base/socket-address.ts";
import { openFirst, zonedAddresses } from "../../src/base/zones.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { DialContext } from "../../src/contract/transport.ts";
import { type NetSocket, TcpChannel } from "./channel.ts";

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

/** A dial of a free ephemeral port of this host can meet itself (RFC 9293 §3.5, simultaneous open). */
function isSelfConnected(socket: NetSocket, port: number): boolean {
  return socket.localPort === port && socket.localAddress === socket.remoteAddress;
}
