/**
 * 1tp in Node: the API of `node:net` between any two endpoints, over the cheapest transport that works.
 *
 * ```ts
 * import { net } from "1tp";
 *
 * const server = net.createServer((socket) => socket.pipe(socket));
 * const connectionInfo = await server.listenP(); // plain JSON: hand it to the other side
 * const socket = net.createConnection(connectionInfo, () => socket.write("hello"));
 * ```
 *
 * @packageDocumentation
 */
import { SocketIntroducer } from "../signaling/introducer/introducer.ts";
import { MemoryTransport } from "../transports/memory/index.ts";
import { RelayTransport } from "../transports/relay/index.ts";
import { TcpTransport } from "../transports/tcp/index.ts";
import { TcpPunchTransport } from "../transports/tcp-punch/index.ts";
import { TurnTransport } from "../transports/turn/index.ts";
import { UdpTransport } from "../transports/udp/index.ts";
import { UdpPunchTransport } from "../transports/udp-punch/index.ts";
import { WebRtcTransport } from "../transports/webrtc/index.ts";
import { WebSocketTransport } from "../transports/websocket/index.ts";
import { setDefaultTransports } from "./net/default-transports.ts";
import { setIntroducer } from "./net/introduction.ts";
import { nodePreset } from "./preset/node.ts";

export type { TcpTransportOptions } from "../transports/tcp/index.ts";
export type { TcpPunchTransportOptions } from "../transports/tcp-punch/index.ts";
export type { TurnTransportOptions } from "../transports/turn/index.ts";
export type { UdpTransportOptions } from "../transports/udp/index.ts";
export type { UdpPunchTransportOptions } from "../transports/udp-punch/index.ts";
export * from "./portable.ts";
export { TcpPunchTransport, TcpTransport, TurnTransport, UdpPunchTransport, UdpTransport };

/** The transports by their words, to be used with `new`. */
export const transports = {
  memory: MemoryTransport,
  tcp: TcpTransport,
  udp: UdpTransport,
  "udp-punch": UdpPunchTransport,
  "tcp-punch": TcpPunchTransport,
  webrtc: WebRtcTransport,
  websocket: WebSocketTransport,
  turn: TurnTransport,
  relay: RelayTransport,
} as const;

setDefaultTransports(nodePreset);
setIntroducer((options) => new SocketIntroducer(options));
