import { withoutZone } from "../../src/base/socket-address.ts";
import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Signaling } from "../../src/contract/dialog.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { BindDatagram } from "../../src/host/local-sockets.ts";
import type { ReachOf } from "../../src/nat/reach.ts";
import type { ConnectionOptions } from "../../src/utp/options.ts";
import type { StunServers } from "./stun-servers.ts";

/** The transport's word. */
export const TYPE = "udp-punch";

/** What dialling and listening share. */
export interface PunchParts {
  readonly signaling: Signaling;
  readonly bind: BindDatagram;
  readonly bufferSize: number;
  readonly connection: ConnectionOptions;
  readonly stun: StunServers;
  /** What may be sent to; absent: the usual rule. */
  readonly reach: ReachOf | undefined;
}

/** A UDP address as an entry of this transport: where a peer was met. */
export function metEndpoint({ address, port }: SocketAddress): Endpoint {
  return { transportType: TYPE, transportInfo: { address: withoutZone(address), port } };
}
