import { type WebHost, type WebServer, type WebServerTls, webSockets } from "#platform";
import { systemError } from "../../src/base/errors.ts";
import { ipFamily, ipScope } from "../../src/base/ip.ts";
import { type ListeningRequest, listeningRequests } from "../../src/base/listening.ts";
import { socketEndpoint } from "../../src/base/socket-address.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { ListenContext, Listener } from "../../src/contract/transport.ts";
import { bindIndicated } from "../../src/host/indicated-binding.ts";
import { LinkChannel } from "../../src/host/link-channel.ts";
import { closeChannel } from "./dial.ts";
import { WebSocketMessages } from "./messages.ts";
import { parseWebSocketUrl, portOf, urlEndpoint, urlOf } from "./url.ts";

/** The longest message that is taken, in bytes: diallers take no longer ones either. */
export const MAX_MESSAGE = 65_536;

/** How WebSockets are served. */
export interface WebSocketServerOptions {
  /** Bytes of the longest message that is sent. */
  readonly maxPayload: number;
  readonly path: string;
  /** What to announce in place of own addresses. */
  readonly urls: readonly string[] | undefined;
  readonly server: WebHost | undefined;
  readonly tls: WebServerTls | undefined;
  admits(origin: string | undefined): boolean;
}

interface Bound {
  readonly server: WebServer;
  readonly endpoints: readonly Endpoint[];
}

/** Listens on what the context asks for, or at the server that is given. Rejects with the system's error. */
export async function listenWebSocket(
  options: WebSocketServerOptions,
  context: ListenContext,
): Promise<Listener> {
  const bound = options.server
    ? [await join(options.server, options, context)]
    : await bindIndicated(withAddresses(context), {
        bind: (request) => open(options, context, request),
        release: ({ server }) => void server.close(),
      });
  return new WebSocketListener(
    bound.map(({ server }) => server),
    options.urls?.map(urlEndpoint) ?? bound.flatMap(({ endpoints }) => endpoints),
  );
}

/** A URL among the wishes means its address and port. */
function withAddresses(context: ListenContext): ListenContext {
  const listeningInfo = context.listeningInfo.map((entry) => {
    const url = parseWebSocketUrl(entry?.transportInfo);
    return url ? socketEndpoint("websocket", url.hostname.replace(/^\[(.*)\]$/, "$1"), portOf(url)) : entry;
  });
  return { ...context, listeningInfo };
}

async function open(
  options: WebSocketServerOptions,
  context: ListenContext,
  { bind, addresses, port }: ListeningRequest,
): Promise<Bound> {
  const server = await serve(options, context, { port, host: bind === "::" ? undefined : bind });
  return announce(server, addresses, options);
}

async function join(host: WebHost, options: WebSocketServerOptions, context: ListenContext): Promise<Bound> {
  if (!host.listening) await listening(host);
  const server = await serve(options, context, { port: 0, host: undefined });
  const { address, port } = server.address;
  const wish = socketEndpoint("websocket", address, port);
  const [request] = listeningRequests([wish], context.runtime.interfaces(), false);
  return announce(server, port === 0 ? [] : request!.addresses, options);
}

function listening(host: WebHost): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      host.off("listening", settle).off("error", settle);
      if (error) reject(error);
      else resolve();
    };
    host.on("listening", settle).on("error", settle);
  });
}

async function serve(
  { path, server, tls, maxPayload, admits }: WebSocketServerOptions,
  { onChannel, runtime }: ListenContext,
  where: { readonly port: number; readonly host: string | undefined },
): Promise<WebServer> {
  const { listenWeb } = await webSockets();
  return listenWeb({
    ...where,
    path,
    server,
    tls,
    admits,
    maxMessage: MAX_MESSAGE,
    answer: () => ({ status: 404, body: "this is a 1tp server: open a WebSocket\n" }),
    accept(link, { address, port }) {
      const remote = urlEndpoint(urlOf(false, address.replace(/^::ffff:/, ""), port, ""));
      const channel = new LinkChannel({ link: new WebSocketMessages(link, maxPayload), remote });
      onChannel(channel);
      return {
        onMessage: (message) => channel.received(message),
        onDrain: () => channel.drained(),
        onClose: (close) => closeChannel(channel, close),
      };
    },
    onError: (error) => runtime.log("websocket: %s", error.message),
  });
}

/** What can be dialled by a URL, which has no place for the zone of a link-local address. */
function announce(
  server: WebServer,
  addresses: readonly string[],
  { path, urls }: WebSocketServerOptions,
): Bound {
  const { address: bound, port } = server.address;
  const endpoints = addresses
    .filter((address) => ipFamily(address) === 4 || (ipFamily(bound) === 6 && !isLinkLocal(address)))
    .map((address) => urlEndpoint(urlOf(server.secure, address, port, path)));
  if (endpoints.length > 0 || urls) return { server, endpoints };
  void server.close();
  throw systemError("EADDRNOTAVAIL", "listen", bound, port);
}

function isLinkLocal(address: string): boolean {
  return ipScope(address) === "link-local";
}

/** Open web servers as one listener. */
class WebSocketListener implements Listener {
  readonly endpoints: readonly Endpoint[];
  readonly #servers: readonly WebServer[];

  constructor(servers: readonly WebServer[], endpoints: readonly Endpoint[]) {
    this.#servers = servers;
    this.endpoints = endpoints;
  }

  /** The ports are free at once; channels live on. */
  async close(): Promise<void> {
    for (const server of this.#servers) void server.close();
  }

  ref(): void {
    for (const server of this.#servers) server.ref();
  }

  unref(): void {
    for (const server of this.#servers) server.unref();
  }
}
