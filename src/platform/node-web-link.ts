import type { Socket } from "node:net";
import { WebSocket } from "ws";
import type { WebSocketLink, WebSocketSink } from "../contract/web-socket.ts";

/** Ms the peer has to answer a closing handshake (chosen: a few round trips). */
export const CLOSE_TIMEOUT = 2_000;

/** The close status for "none was given" (RFC 6455 §7.1.5). */
const NO_STATUS = 1006;

/** How much larger a chunk may be than the message that keeps it (chosen: a full message of a relay is not copied). */
const LARGEST_CHUNK = 8;

/** A WebSocket of `ws`, opened or accepted. */
export class NodeWebSocket implements WebSocketLink {
  readonly #socket: WebSocket;
  readonly #sink: WebSocketSink;
  #tcp: Socket | undefined;
  #referenced = true;
  #lent = false;
  #failure: Error | undefined;
  #overdue: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: WebSocket, sink: WebSocketSink, tcp?: Socket) {
    this.#socket = socket;
    this.#sink = sink;
    this.#tcp = tcp;
    socket.on("message", (data, isBinary) =>
      sink.onMessage(isBinary ? ownBytes(data as Buffer) : data.toString()),
    );
    socket.on("error", (error) => {
      this.#failure = error;
    });
    socket.on("close", (status, reason) => {
      clearTimeout(this.#overdue);
      sink.onClose({ status: status || NO_STATUS, reason: reason.toString(), error: this.#failure });
    });
  }

  get buffered(): number {
    return this.#socket.bufferedAmount;
  }

  get lent(): boolean {
    return this.#lent;
  }

  /** The connection is there. */
  carriedBy(tcp: Socket): void {
    this.#tcp = tcp;
    if (!this.#referenced) tcp.unref();
  }

  send(message: string | Uint8Array): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(message, this.#onSent);
    this.#lent = this.#socket.bufferedAmount > 0;
  }

  readonly #onSent = (): void => {
    if (!this.#lent || this.#socket.bufferedAmount > 0) return;
    this.#lent = false;
    this.#sink.onDrain?.();
  };

  close(status: number, reason: string): void {
    // Of a peer that has ended its side `ws` waits for ever to take what it was sent.
    if (this.#socket.readyState === WebSocket.CLOSING)
      this.#overdue ??= setTimeout(() => this.terminate(), CLOSE_TIMEOUT);
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

/** A message that may wait for long. A small one is copied, lest it keep the chunk of the socket that it came in. */
function ownBytes({ buffer, byteOffset, length }: Buffer): Uint8Array {
  const view = new Uint8Array(buffer, byteOffset, length);
  return buffer.byteLength > LARGEST_CHUNK * length ? view.slice() : view;
}
