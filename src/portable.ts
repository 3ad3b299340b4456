/**
 * What 1tp is in every runtime. The entries, `index.ts` and `browser.ts`, add the transports.
 *
 * @packageDocumentation
 */
import { IntroducerSignaling } from "../signaling/introducer/signaling.ts";
import { LocalSignaling } from "../signaling/local/index.ts";
import { WebSocketSignaling } from "../signaling/websocket/index.ts";
import { MemoryHub, MemoryTransport } from "../transports/memory/index.ts";
import { RelayTransport } from "../transports/relay/index.ts";
import { WebRtcTransport } from "../transports/webrtc/index.ts";
import { WebSocketTransport } from "../transports/websocket/index.ts";
import { ParallelScheduler, SequentialScheduler, StaggeredScheduler } from "./scheduler/schedulers.ts";

export { diagnosticsChannel } from "#platform";
export type { IntroducingSocket } from "../signaling/introducer/socket-signaling.ts";
export type { LocalHub, LocalSignalingOptions } from "../signaling/local/index.ts";
export type { WebSocketSignalingOptions } from "../signaling/websocket/index.ts";
export type { MemoryTransportOptions } from "../transports/memory/index.ts";
export type { RelayTransportOptions } from "../transports/relay/index.ts";
export type { IceServer, WebRtcConfig, WebRtcTransportOptions } from "../transports/webrtc/index.ts";
export type { WebSocketTransportOptions } from "../transports/websocket/index.ts";
export { endpointScope, formatEndpoint } from "./base/endpoint.ts";
export { type ErrorCode, type ErrorDetails, OnetpError } from "./base/errors.ts";
export type { IpScope } from "./base/ip.ts";
export { VERSION as version } from "./base/version.ts";
export type {
  Channel,
  ChannelOptions,
  ChannelPath,
  ChannelSink,
  ChannelStats,
  PathEnd,
} from "./contract/channel.ts";
export type { Clock, Instant, Millis, Timer } from "./contract/clock.ts";
export type { KeyPair } from "./contract/crypto.ts";
export type { BindOptions, DatagramSink, DatagramSocket, SocketAddress } from "./contract/datagram-socket.ts";
export type {
  Dialog,
  DialogSink,
  RegisterOptions,
  Registration,
  Signaling,
  SignalingAddress,
  SignalingServices,
  TurnService,
} from "./contract/dialog.ts";
export type { ConnectionInfo, Endpoint, Json, JsonObject } from "./contract/endpoint.ts";
export type { LaneSink, MessageLane } from "./contract/message-lane.ts";
export type { NetworkInterface, Random, Runtime } from "./contract/runtime.ts";
export type { Candidate, PlannedAttempt, Scheduler } from "./contract/scheduler.ts";
export type {
  DialContext,
  FirstBody,
  ListenContext,
  Listener,
  Phase,
  Transport,
  TransportTraits,
} from "./contract/transport.ts";
export type { WebRtc } from "./contract/web-rtc.ts";
export { DuplexChannel } from "./host/duplex-channel.ts";
export type { ReadyState } from "./net/channel-stream.ts";
export type { DialPolicy } from "./net/dial-policy.ts";
export { formatReport } from "./net/format-report.ts";
export {
  createIdentity,
  fingerprint,
  loadIdentity,
  parseIdentity,
  saveIdentity,
} from "./net/identity.ts";
export * as net from "./net/index.ts";
export { connect, createConnection, createServer, Server, Socket } from "./net/index.ts";
export type { ListeningInfo } from "./net/listening-info.ts";
export type { CommonOptions, ServerOptions, SocketOptions } from "./net/options.ts";
export type { AttemptOutcome, AttemptReport } from "./net/report.ts";
export type { Authorize, PeerOptions, SecurityOptions } from "./net/security.ts";
export type { DroppedConnection, ListenOptions, ServerEvents } from "./net/server.ts";
export { decodeTicket, encodeTicket } from "./net/ticket.ts";
export type { Identity } from "./session/identity.ts";
export {
  IntroducerSignaling,
  LocalSignaling,
  MemoryHub,
  MemoryTransport,
  ParallelScheduler,
  RelayTransport,
  SequentialScheduler,
  StaggeredScheduler,
  WebRtcTransport,
  WebSocketSignaling,
  WebSocketTransport,
};

/** The signalings by their words, to be used with `new`. */
export const signaling = {
  local: LocalSignaling,
  websocket: WebSocketSignaling,
  introducer: IntroducerSignaling,
} as const;

/** The schedulers by their words, to be used with `new`. */
export const schedulers = {
  sequential: SequentialScheduler,
  parallel: ParallelScheduler,
  staggered: StaggeredScheduler,
} as const;
