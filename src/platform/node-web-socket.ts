import type { SecureContextOptions } from "node:tls";
import { WebSocket } from "ws";
import type { WebSocketLink, WebSocketSink } from "../contract/web-socket.ts";
import { CLOSE_TIMEOUT, NodeWebSocket } from "./node-web-link.ts";

export { listenWeb } from "./node-web-server.ts";

/** The longest message a client takes, in bytes (chosen: no protocol here has longer ones than 64 KiB). */
const MAX_MESSAGE = 65_536;

/** Whom to trust at the other end of a wss URL, as `node:tls` takes it. */
export type WebClientTls = SecureContextOptions & { readonly rejectUnauthorized?: boolean };

/** Opens a WebSocket to a ws or wss URL. */
export function openWebSocket(url: string, sink: WebSocketSink, tls: WebClientTls = {}): WebSocketLink {
  const options = { perMessageDeflate: false, maxPayload: MAX_MESSAGE, closeTimeout: CLOSE_TIMEOUT };
  const socket = new WebSocket(url, { ...tls, ...options });
  const link = new NodeWebSocket(socket, sink);
  socket.on("upgrade", (response) => link.carriedBy(response.socket));
  socket.on("open", () => sink.onOpen?.());
  return link;
}
