import { createServer as createHttpServer, type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TlsOptions } from "node:tls";
import { type WebSocket, WebSocketServer } from "ws";
import { systemError } from "../base/errors.ts";
import { Slots } from "../base/slots.ts";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { WebSocketLink, WebSocketSink } from "../contract/web-socket.ts";
import { CLOSE_TIMEOUT, NodeWebSocket } from "./node-web-link.ts";

/** Ms a request's headers, and the request, may take (chosen: a slow network's round trip, ten times). */
const REQUEST_TIMEOUT = 10_000;

/** Certificate and key of a web server, as `node:tls` takes them. */
export type WebServerTls = TlsOptions;

/** A server of `node:http` or `node:https`. */
export type WebHost = Server | HttpsServer;

/** What a plain HTTP request is answered with. */
export interface WebAnswer {
  readonly status: number;
  readonly body: string;
}

/** Who has sent a request. */
export interface WebClient {
  /** As the socket sees it. */
  readonly address: string;
  readonly port: number;
  /** The X-Forwarded-For header: anybody can write anything there. */
  readonly forwardedFor: string;
}

/** What a web server is to do. */
export interface WebServerOptions {
  readonly port: number;
  /** Undefined: every address of both families. */
  readonly host: string | undefined;
  readonly tls?: WebServerTls | undefined;
  /** Somebody's server that listens, in place of one on `port`. It answers requests itself, and stays open. */
  readonly server?: WebHost | undefined;
  /** Where WebSockets are taken, without query; undefined: at every path. */
  readonly path?: string | undefined;
  /** Longer messages end the WebSocket with status 1009. */
  readonly maxMessage: number;
  /** Further ones are closed at once; undefined: no limit. */
  readonly maxConnections?: number | undefined;
  /** The same for one IPv4 address or one IPv6 network of 64 bits; undefined: no limit. */
  readonly maxConnectionsPerAddress?: number | undefined;
  /** Answers a GET of a path. */
  answer(path: string): WebAnswer;
  /** Whether a page of this origin may open WebSockets; undefined is asked for who is no page. Default: all may. */
  admits?(origin: string | undefined): boolean;
  /** Takes a WebSocket. */
  accept(link: WebSocketLink, client: WebClient): WebSocketSink;
  /** A connection could not be accepted; the server lives on. */
  onError?(error: Error): void;
}

/** An HTTP and WebSocket server that listens. */
export interface WebServer {
  /** Empty and port 0 for a server that listens on no port. */
  readonly address: SocketAddress;
  /** Over TLS. */
  readonly secure: boolean;
  /**
   * Ends what is no WebSocket, and takes no connections any more: the port is free at once. Resolves when
   * the last one is gone.
   */
  close(): Promise<void>;
  ref(): void;
  unref(): void;
}

/** Listens. Rejects with an errno code. */
export async function listenWeb(options: WebServerOptions): Promise<WebServer> {
  return options.server ? joinServer(options.server, options) : openServer(options);
}

async function openServer(options: WebServerOptions): Promise<WebServer> {
  const timeouts = {
    headersTimeout: REQUEST_TIMEOUT,
    requestTimeout: REQUEST_TIMEOUT,
    connectionsCheckingInterval: REQUEST_TIMEOUT / 2,
  };
  const server = options.tls
    ? createHttpsServer({ handshakeTimeout: REQUEST_TIMEOUT, ...options.tls, ...timeouts })
    : createHttpServer(timeouts);
  const { maxConnections, maxConnectionsPerAddress } = options;
  if (maxConnections !== undefined) server.maxConnections = maxConnections;
  if (maxConnectionsPerAddress !== undefined) limitSources(server, maxConnectionsPerAddress);
  server.on("request", (request, response) => {
    const { status, body } = options.answer(request.url ?? "/");
    response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(body);
  });
  const intake = new Intake(options);
  server.on("upgrade", (request: IncomingMessage, tcp: Socket, head: Buffer) =>
    intake.upgrade(request, tcp, head),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port: options.port, host: options.host }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  server.on("error", (error) => options.onError?.(error));
  const { address, port } = server.address() as AddressInfo;
  return {
    address: { address, port },
    secure: options.tls !== undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    ref: () => void server.ref(),
    unref: () => void server.unref(),
  };
}

/** Nobody takes all connections by opening them and saying nothing. */
function limitSources(server: WebHost, most: number): void {
  const slots = new Slots(Number.POSITIVE_INFINITY, most);
  server.on("connection", (tcp: Socket) => {
    const leave = slots.take(tcp.remoteAddress);
    if (leave) tcp.once("close", leave);
    else tcp.destroy();
  });
}

/** Those who share a server that is not theirs, by path. */
interface Tenants {
  readonly byPath: Map<string, Intake>;
  readonly onUpgrade: (request: IncomingMessage, tcp: Socket, head: Buffer) => void;
}

const tenantsOf = new WeakMap<WebHost, Tenants>();

async function joinServer(server: WebHost, options: WebServerOptions): Promise<WebServer> {
  const bound = server.address();
  const { address, port } = typeof bound === "object" && bound ? bound : { address: "", port: 0 };
  const { path = "/" } = options;
  const { byPath, onUpgrade } = tenantsOf.get(server) ?? openToTenants(server);
  if (byPath.has(path)) throw systemError("EADDRINUSE", "listen", path);
  const intake = new Intake(options);
  byPath.set(path, intake);
  const leave = async (): Promise<void> => {
    if (byPath.get(path) === intake) byPath.delete(path);
    if (byPath.size > 0) return;
    server.off("upgrade", onUpgrade);
    tenantsOf.delete(server);
  };
  const secure = "setSecureContext" in server;
  return { address: { address, port }, secure, close: leave, ref() {}, unref() {} };
}

/** What is at no path of ours may be another listener's, unless there is none. */
function openToTenants(server: WebHost): Tenants {
  const byPath = new Map<string, Intake>();
  const onUpgrade: Tenants["onUpgrade"] = (request, tcp, head) => {
    const intake = byPath.get(pathOf(request));
    if (intake) intake.upgrade(request, tcp, head);
    else if (server.listenerCount("upgrade") === 1) refuse(tcp, 404);
  };
  server.on("upgrade", onUpgrade);
  const tenants = { byPath, onUpgrade };
  tenantsOf.set(server, tenants);
  return tenants;
}

/** Makes WebSockets of requests. */
class Intake {
  readonly #options: WebServerOptions;
  readonly #webSockets: WebSocketServer;

  constructor(options: WebServerOptions) {
    const { maxMessage } = options;
    const limits = { perMessageDeflate: false, maxPayload: maxMessage, closeTimeout: CLOSE_TIMEOUT };
    this.#options = options;
    this.#webSockets = new WebSocketServer({ noServer: true, clientTracking: false, ...limits });
  }

  upgrade(request: IncomingMessage, tcp: Socket, head: Buffer): void {
    const { path = pathOf(request), admits = () => true } = this.#options;
    if (path !== pathOf(request)) refuse(tcp, 404);
    else if (!admits(request.headers.origin)) refuse(tcp, 403);
    else this.#webSockets.handleUpgrade(request, tcp, head, (socket) => this.#accept(socket, request, tcp));
  }

  #accept(socket: WebSocket, request: IncomingMessage, tcp: Socket): void {
    const forwarded = request.headers["x-forwarded-for"] ?? "";
    const { remoteAddress: address = "", remotePort: port = 0 } = tcp;
    let sink: WebSocketSink | undefined;
    const link = new NodeWebSocket(
      socket,
      {
        onMessage: (message) => sink?.onMessage(message),
        onDrain: () => sink?.onDrain?.(),
        onClose: (close) => sink?.onClose(close),
      },
      tcp,
    );
    sink = this.#options.accept(link, { address, port, forwardedFor: `${forwarded}` });
  }
}

function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?", 1)[0]!;
}

function refuse(tcp: Socket, status: 403 | 404): void {
  tcp.on("error", () => tcp.destroy());
  tcp.once("finish", () => tcp.destroy());
  tcp.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
