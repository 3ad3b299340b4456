export { WebSocketTransport, type WebSocketTransportOptions } from "./transport.ts";
