import { ipFamily } from "../../src/base/ip.ts";
import { ownAddresses } from "../../src/base/listening.ts";
import { withoutZone } from "../../src/base/socket-address.ts";
import type { Millis } from "../../src/contract/clock.ts";
import type { DatagramSocket, SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { Signaling } from "../../src/contract/dialog.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import { type BindDatagram, localAddressFor } from "../../src/host/local-sockets.ts";
import type { StunServers } from "../../src/host/stun-servers.ts";
import type { ReachOf } from "../../src/nat/reach.ts";
import type { ConnectionOptions } from "../../src/utp/options.ts";
import type { NatKnowledge } from "./nat-knowledge.ts";

/** The transport's word. */
export const TYPE = "udp-punch";

/** What dialling and listening share. */
export interface PunchParts {
  readonly signaling: Signaling;
  readonly bind: BindDatagram;
  readonly bufferSize: number;
  readonly connection: ConnectionOptions;
  /** 0: no limit. */
  readonly connectTimeout: Millis;
  readonly stun: StunServers;
  readonly knowledge: NatKnowledge;
  /** What may be sent to; absent: the usual rule. */
  readonly reach: ReachOf | undefined;
  /** Listeners have their port mapped. */
  readonly portMapping: boolean;
}

/** A UDP address as an entry of this transport: where a peer was met. */
export function metEndpoint({ address, port }: SocketAddress): Endpoint {
  return { transportType: TYPE, transportInfo: { address: withoutZone(address), port } };
}

/** Our end of a connection: the own address that leads to the peer, where it is clear which one does. */
export function ownEndpoint(
  socket: DatagramSocket,
  remote: SocketAddress,
  { interfaces }: Pick<Runtime, "interfaces">,
): Endpoint {
  const { address: wildcard, port } = socket.local;
  const all = interfaces();
  const own = ownAddresses(all, ipFamily(wildcard) === 6 ? 6 : 4);
  return metEndpoint({ address: localAddressFor(remote.address, own, all) ?? wildcard, port });
}
