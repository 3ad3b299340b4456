import { socketEndpoint } from "../../src/base/socket-address.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { DatagramSocket, SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Signaling } from "../../src/contract/dialog.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import { FramedSocket } from "../../src/host/framed-socket.ts";
import { LengthFrames } from "../../src/host/length-frames.ts";
import type { SharedHost } from "../../src/host/shared-host.ts";
import type { NetSocket } from "../../src/host/stun-stream.ts";
import type { TurnRequest } from "../../src/host/turn-allocate.ts";
import type { TurnWay } from "../../src/host/turn-link.ts";
import { RELAYED_PAYLOAD } from "../../src/host/turn-socket.ts";
import { UtpChannel } from "../../src/host/utp-channel.ts";
import type { TurnUser } from "../../src/turn/rest-credentials.ts";
import type { UtpConnection } from "../../src/utp/connection.ts";
import type { ConnectionOptions } from "../../src/utp/options.ts";

/** What dialling and listening share. */
export interface TurnParts {
  readonly type: string;
  readonly way: TurnWay;
  readonly user: (wall: number) => TurnUser;
  readonly signaling: Signaling;
  readonly connection: ConnectionOptions;
}

/** What an allocation on the transport's server is asked for with; the credentials are good from now on. */
export function requestOn(
  { way, user }: TurnParts,
  { family, peers = "udp" }: { readonly family?: 4 | 6; readonly peers?: "udp" | "tcp" },
  runtime: Runtime,
): TurnRequest {
  // Peers come over TCP only to who has come over TCP (RFC 6062 §4.1); servers have it where they have UDP.
  const protocol = peers === "tcp" && way.protocol === "udp" ? "tcp" : way.protocol;
  return {
    way: { ...way, protocol },
    user: user(runtime.clock.wall()),
    peers,
    // IPv4 is what servers give unasked, also those that do not know families.
    ...(family === 6 ? { family } : {}),
  };
}

/** Less than coturn holds for a slow reader (192 KiB): beyond that version 4.6 may stop reading for good. */
const RECEIVE_BUFFER = 448 * 1024;

/** A socket of the packets of one uTP connection over a connected TCP or TLS socket, with their lengths before them. */
export function packetsOver(stream: NetSocket, remote: SocketAddress): DatagramSocket {
  return new FramedSocket(stream, remote, new LengthFrames(RELAYED_PAYLOAD), RECEIVE_BUFFER);
}

/** What a channel is made of. */
export interface TurnChannelParts {
  readonly type: string;
  readonly shared: SharedHost;
  readonly connection: UtpConnection;
  readonly local: SocketAddress;
  readonly remote: Endpoint;
  readonly firstFlightSent: boolean;
}

/** A connection as a channel. */
export function turnChannel({ type, shared, local, ...parts }: TurnChannelParts): Channel {
  const { address, port } = local;
  return new UtpChannel({
    ...parts,
    host: shared.host,
    local: socketEndpoint(type, address, port),
    keep: (referenced) => shared.keep(referenced),
  });
}

/** Accepts uTP on a relay's host. `local`: the relay, as channels are to name it. */
export function listenOn(
  { type, connection: options }: TurnParts,
  shared: SharedHost,
  local: SocketAddress,
  onChannel: (channel: Channel) => void,
): void {
  shared.host.listen((connection) => {
    const { address, port } = connection.remote;
    const remote = socketEndpoint(type, address, port);
    onChannel(turnChannel({ type, shared, connection, local, remote, firstFlightSent: false }));
  }, options);
}
