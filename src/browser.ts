/**
 * 1tp in browsers: the names of `index.ts`, on what a page has. No globals are asked for, and no polyfills.
 *
 * @packageDocumentation
 */
import { MemoryTransport } from "../transports/memory/index.ts";
import { RelayTransport } from "../transports/relay/index.ts";
import type { TcpTransport as TcpInNode } from "../transports/tcp/index.ts";
import type { TcpPunchTransport as TcpPunchInNode } from "../transports/tcp-punch/index.ts";
import type { TurnTransport as TurnInNode } from "../transports/turn/index.ts";
import type { UdpTransport as UdpInNode } from "../transports/udp/index.ts";
import type { UdpPunchTransport as UdpPunchInNode } from "../transports/udp-punch/index.ts";
import { WebRtcTransport } from "../transports/webrtc/index.ts";
import { WebSocketTransport } from "../transports/websocket/index.ts";
import { setDefaultTransports } from "./net/default-transports.ts";
import { browserPreset } from "./preset/browser.ts";
import { unsupported } from "./preset/unsupported.ts";

export type { TcpTransportOptions } from "../transports/tcp/index.ts";
export type { TcpPunchTransportOptions } from "../transports/tcp-punch/index.ts";
export type { TurnTransportOptions } from "../transports/turn/index.ts";
export type { UdpTransportOptions } from "../transports/udp/index.ts";
export type { UdpPunchTransportOptions } from "../transports/udp-punch/index.ts";
export * from "./portable.ts";

const noTcp = "a page has no TCP: use websocket, webrtc or relay";
const noUdp = "a page has no UDP: use websocket, webrtc or relay";

/** Not in a page: a browser gives no sockets away. */
export const TcpTransport = unsupported<typeof TcpInNode>("tcp", noTcp);
/** Not in a page. */
export const UdpTransport = unsupported<typeof UdpInNode>("udp", noUdp);
/** Not in a page: `webrtc` takes TURN servers. */
export const TurnTransport = unsupported<typeof TurnInNode>("turn", noUdp);
/** Not in a page: `webrtc` punches. */
export const UdpPunchTransport = unsupported<typeof UdpPunchInNode>("udp-punch", noUdp);
export const TcpPunchTransport = unsupported<typeof TcpPunchInNode>("tcp-punch", noTcp);

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

setDefaultTransports(browserPreset);
