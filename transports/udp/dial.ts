import { OnetpError } from "../../src/base/errors.ts";
import { parseSocketAddress } from "../../src/base/socket-address.ts";
import { openFirst, zonedAddresses } from "../../src/base/zones.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { DialContext } from "../../src/contract/transport.ts";
import { dialFrom } from "../../src/host/dial.ts";
import type { SharedHost } from "../../src/host/shared-host.ts";
import { LINGER } from "./dial-ports.ts";
import { type UdpParts, udpChannel } from "./ports.ts";

/** Dials the one literal of an entry, or it in every zone it may be in. */
export async function dialUdp(parts: UdpParts, endpoint: Endpoint, context: DialContext): Promise<Channel> {
  const target = parseSocketAddress(endpoint.transportInfo);
  if (!target) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { transport: "udp" });
  context.signal.throwIfAborted();
  context.onPhase("connect");
  const firstFlight = context.firstFlight?.();
  return openFirst(
    zonedAddresses(target.address, context.runtime),
    context.signal,
    (address, signal) => {
      const remote = { address, port: target.port };
      return dialAddress(parts, remote, endpoint, { ...context, signal }, firstFlight);
    },
    (late) => late.abort(),
  );
}

async function dialAddress(
  parts: UdpParts,
  remote: SocketAddress,
  endpoint: Endpoint,
  context: DialContext,
  firstFlight: Uint8Array | undefined,
): Promise<Channel> {
  const listening = parts.ports.for(remote, context.runtime);
  if (listening) return connect(listening, parts, remote, endpoint, context.signal, firstFlight);
  const shared = await parts.dialPorts.to(remote, { ...parts, runtime: context.runtime });
  try {
    context.signal.throwIfAborted();
    // Another dial gave up, and there seemed to be none but it.
    if (shared.host.closed) return await dialAddress(parts, remote, endpoint, context, firstFlight);
    const channel = await connect(shared, parts, remote, endpoint, context.signal, firstFlight);
    shared.linger(context.runtime.clock, LINGER);
    return channel;
  } finally {
    shared.leave();
  }
}

function connect(
  shared: SharedHost,
  parts: UdpParts,
  remote: SocketAddress,
  endpoint: Endpoint,
  signal: AbortSignal,
  firstFlight: Uint8Array | undefined,
): Promise<Channel> {
  const options = firstFlight ? { ...parts.connection, data: firstFlight, pad: true } : parts.connection;
  return dialFrom(shared, remote, options, signal, (connection) =>
    udpChannel(shared, connection, endpoint, firstFlight !== undefined),
  );
}
