import { createServer as createHttpServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TlsOptions } from "node:tls";
import { WebSocket, WebSocketServer } from "ws";
import type { SocketAddress } from "../contract/datagram-socket.ts";
import type { WebSocketLink, WebSocketSink } from "../contract/web-socket.ts";

/** Ms the peer has to answer a closing handshake (chosen: a few round trips). */
const CLOSE_TIMEOUT = 2_000;

/** The longest message a client takes, in bytes (chosen: no protocol here has longer ones than 64 KiB). */
const MAX_MESSAGE = 65_536;

/** The close status for "none was given" (RFC 6455 §7.1.5). */
const NO_STATUS = 1006;

class NodeWebSocket implements WebSocketLink {
  readonly #socket: WebSocket;
  #tcp: Socket | undefined;
  #referenced = true;

  constructor(socket: WebSocket, sink: WebSocketSink, tcp?: Socket) {
    this.#socket = socket;
    this.#tcp = tcp;
    let failure: Error | undefined;
    socket.on("message", (data, isBinary) => {
      const bytes = data as Buffer;
      sink.onMessage(isBinary ? new Uint8Array(bytes) : bytes.toString());
    });
    socket.on("error", (error) => {
      failure = error;
    });
    socket.on("close", (status, reason) => {
      sink.onClose({ status: status || NO_STATUS, reason: reason.toString(), error: failure });
    });
  }

  get buffered(): number {
    return this.#socket.bufferedAmount;
  }

  /** The connection is there. */
  carriedBy(tcp: Socket): void {
    this.#tcp = tcp;
    if (!this.#referenced) tcp.unref();
  }

  send(message: string | Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(message);
  }

  close(status: number, reason: string): void {
    this.#socket.close(status, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  ref(): void {
    this.#referenced = true;
    this.#tcp?.ref();
  }

  unref(): void {
    this.#referenced = false;
    this.#tcp?.unref();
  }
}

/** Opens a WebSocket to a ws or wss URL. */
export function openWebSocket(url: string, sink: WebSocketSink): WebSocketLink {
  const options = { perMessageDeflate: false, maxPayload: MAX_MESSAGE, closeTimeout: CLOSE_TIMEOUT };
  const socket = new WebSocket(url, options);
  const link = new NodeWebSocket(socket, sink);
  socket.on("upgrade", (response) => link.carriedBy(response.socket));
  socket.on("open", () => sink.onOpen?.());
  return link;
}

/** Ms a request's headers, and the request, may take (chosen: a slow network's round trip, ten times). */
const REQUEST_TIMEOUT = 10_000;

/** Certificate and key of a web server, as `node:tls` takes them. */
export type WebServerTls = TlsOptions;

/** What a plain HTTP request is answered with. */
export interface WebAnswer {
  readonly status: number;
  readonly body: string;
}

/** Who has sent a request. */
export interface WebClient {
  /** As the socket sees it. */
  readonly address: string;
  /** The X-Forwarded-For header: anybody can write anything there. */
  readonly forwardedFor: string;
}

/** What a web server is to do. */
export interface WebServerOptions {
  readonly port: number;
  /** Undefined: every address of both families. */
  readonly host: string | undefined;
  readonly tls: WebServerTls | undefined;
  /** Longer messages end the WebSocket with status 1009. */
  readonly maxMessage: number;
  /** Further ones are closed at once. */
  readonly maxConnections: number;
  /** Answers a GET of a path. */
  answer(path: string): WebAnswer;
  /** Takes a WebSocket. */
  accept(link: WebSocketLink, client: WebClient): WebSocketSink;
}

/** An HTTP and WebSocket server that listens. */
export interface WebServer {
  readonly address: SocketAddress;
  /** Ends what is no WebSocket, and takes no connections any more. Resolves when the last one is gone. */
  close(): Promise<void>;
}

/** Listens. Rejects with an errno code. */
export async function listenWeb(options: WebServerOptions): Promise<WebServer> {
  const timeouts = {
    headersTimeout: REQUEST_TIMEOUT,
    requestTimeout: REQUEST_TIMEOUT,
    connectionsCheckingInterval: REQUEST_TIMEOUT / 2,
  };
  const server = options.tls
    ? createHttpsServer({ handshakeTimeout: REQUEST_TIMEOUT, ...options.tls, ...timeouts })
    : createHttpServer(timeouts);
  server.maxConnections = options.maxConnections;
  server.on("request", (request, response) => {
    const { status, body } = options.answer(request.url ?? "/");
    response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(body);
  });
  acceptWebSockets(server, options);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port: options.port, host: options.host }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const { address, port } = server.address() as AddressInfo;
  return {
    address: { address, port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function acceptWebSockets(server: Server, options: WebServerOptions): void {
  const { maxMessage } = options;
  const limits = { perMessageDeflate: false, maxPayload: maxMessage, closeTimeout: CLOSE_TIMEOUT };
  const webSockets = new WebSocketServer({ noServer: true, clientTracking: false, ...limits });
  server.on("upgrade", (request: IncomingMessage, tcp: Socket, head: Buffer) => {
    webSockets.handleUpgrade(request, tcp, head, (socket) => accept(socket, request, tcp, options));
  });
}

function accept(socket: WebSocket, request: IncomingMessage, tcp: Socket, options: WebServerOptions): void {
  const forwarded = request.headers["x-forwarded-for"] ?? "";
  const client = { address: tcp.remoteAddress ?? "", forwardedFor: `${forwarded}` };
  let sink: WebSocketSink | undefined;
  const link = new NodeWebSocket(
    socket,
    { onMessage: (message) => sink?.onMessage(message), onClose: (close) => sink?.onClose(close) },
    tcp,
  );
  sink = options.accept(link, client);
}
