import type { Socket } from "node:net";
import { WebSocket } from "ws";
import type { WebSocketLink, WebSocketSink } from "../contract/web-socket.ts";

/** Ms the peer has to answer a closing handshake (chosen: a few round trips). */
export const CLOSE_TIMEOUT = 2_000;

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

/** A WebSocket that a server has accepted. */
export function acceptedWebSocket(socket: WebSocket, sink: WebSocketSink, tcp: Socket): WebSocketLink {
  return new NodeWebSocket(socket, sink, tcp);
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
