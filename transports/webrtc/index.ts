export type { IceServer, WebRtcConfig } from "./ice-servers.ts";
export { WebRtcTransport, type WebRtcTransportOptions } from "./transport.ts";
