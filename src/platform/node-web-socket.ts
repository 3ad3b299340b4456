import type { ClientRequestArgs } from "node:http";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect as connectTls, type SecureContextOptions } from "node:tls";
import { WebSocket } from "ws";
import { webProxy } from "../base/environment-proxy.ts";
import { toError } from "../base/errors.ts";
import type { ProxyOption } from "../base/proxy.ts";
import type { WebSocketLink, WebSocketSink } from "../contract/web-socket.ts";
import { CLOSE_TIMEOUT, NodeWebSocket } from "./node-web-link.ts";

export { listenWeb } from "./node-web-server.ts";

/** The longest message a client takes, in bytes (chosen: no protocol here has longer ones than 64 KiB). */
const MAX_MESSAGE = 65_536;

/** What tells a request for a wss URL. */
const HTTPS_PORT = 443;

/** Whom to trust at the other end of a wss URL, as `node:tls` takes it. */
export type WebClientTls = SecureContextOptions & { readonly rejectUnauthorized?: boolean };

/** Opens a WebSocket to a ws or wss URL. `proxy` is in place of the one that the environment names; false: none. */
export function openWebSocket(
  url: string,
  sink: WebSocketSink,
  tls: WebClientTls = {},
  proxy?: ProxyOption,
): WebSocketLink {
  const gone = new AbortController();
  const through = webProxy(url, proxy, (name) => process.env[name]);
  const options = { perMessageDeflate: false, maxPayload: MAX_MESSAGE, closeTimeout: CLOSE_TIMEOUT };
  const createConnection = through && tunnelled(through, gone.signal);
  const socket = new WebSocket(url, { ...tls, ...options, ...(createConnection && { createConnection }) });
  const link = new NodeWebSocket(socket, sink);
  socket.on("upgrade", (response) => link.carriedBy(response.socket));
  socket.on("open", () => sink.onOpen?.());
  socket.on("close", () => gone.abort());
  return link;
}

/** How `node:http` gets its connection through a proxy. */
function tunnelled(proxy: string, signal: AbortSignal): NonNullable<ClientRequestArgs["createConnection"]> {
  return (options, onConnection) => {
    open(proxy, options, signal).then(
      (socket) => onConnection(null, socket),
      // There is no socket then, whatever the types say.
      (error) => onConnection(toError(error), undefined as unknown as Duplex),
    );
    return undefined;
  };
}

async function open(proxy: string, options: ClientRequestArgs, signal: AbortSignal): Promise<Duplex> {
  const { openTunnel } = await import("./node-tunnel.ts");
  const { defaultPort, ...settings } = options;
  const host = options.host!;
  const socket = await openTunnel(proxy, { host, port: Number(options.port) }, signal);
  if (defaultPort !== HTTPS_PORT) return socket;
  return connectTls({ ...(settings as ConnectionOptions), socket, servername: isIP(host) === 0 ? host : "" });
}
