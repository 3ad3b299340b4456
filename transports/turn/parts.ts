import { socketEndpoint } from "../../src/base/socket-address.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Signaling } from "../../src/contract/dialog.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import type { SharedHost } from "../../src/host/shared-host.ts";
import { allocate } from "../../src/host/turn-allocate.ts";
import type { TurnWay } from "../../src/host/turn-link.ts";
import type { TurnSocket } from "../../src/host/turn-socket.ts";
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

/** An allocation on the transport's server, with credentials that are good from now on. */
export function allocateOn(
  { way, user }: TurnParts,
  runtime: Runtime,
  signal: AbortSignal,
  family?: 4 | 6,
): Promise<TurnSocket> {
  const request = { way, user: user(runtime.clock.wall()), ...(family ? { family } : {}) };
  return allocate(request, runtime, signal);
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
