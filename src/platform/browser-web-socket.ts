import { nodeError, OnetpError, systemError, toError } from "../base/errors.ts";
import type { WebSocketClose, WebSocketLink, WebSocketSink } from "../contract/web-socket.ts";
import { nextTurn } from "./browser-turn.ts";
import type * as node from "./node-web-socket.ts";

/** Ms the peer has to answer a closing handshake (chosen: a few round trips); browsers themselves wait for minutes. */
const CLOSE_TIMEOUT = 2_000;

/** The longest message that is taken, in bytes (chosen: no protocol here has longer ones than 64 KiB). */
const MAX_MESSAGE = 65_536;

/** Close statuses (RFC 6455 §7.4.1). */
const NORMAL = 1000;
const NO_STATUS = 1005;
const ABNORMAL = 1006;
const TOO_LONG = 1009;

/** The part of the browser's class that is used (WHATWG WebSockets). */
interface NativeWebSocket {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: string | ArrayBuffer }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  send(message: string | Uint8Array): void;
  close(status?: number, reason?: string): void;
}

const OPEN = 1;

class BrowserWebSocket implements WebSocketLink {
  readonly #url: string;
  readonly #socket: NativeWebSocket;
  readonly #sink: WebSocketSink;
  #opened = false;
  #ended = false;
  #timeout: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string, socket: NativeWebSocket, sink: WebSocketSink) {
    this.#url = url;
    this.#socket = socket;
    this.#sink = sink;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#onOpen();
    socket.onmessage = ({ data }) => this.#onMessage(data);
    socket.onclose = ({ code, reason }) => this.#onClose(code, reason);
  }

  get buffered(): number {
    return this.#socket.bufferedAmount;
  }

  #onOpen(): void {
    this.#opened = true;
    this.#sink.onOpen?.();
  }

  #onMessage(data: string | ArrayBuffer): void {
    const message = typeof data === "string" ? data : new Uint8Array(data);
    if (message.length <= MAX_MESSAGE) this.#sink.onMessage(message);
    else this.#fail(TOO_LONG, nodeError("WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", "Max payload size exceeded"));
  }

  /** A browser tells nobody why it could not connect. */
  #onClose(code: number, reason: string): void {
    const status = code === NO_STATUS ? ABNORMAL : code;
    if (this.#opened) this.#end({ status, reason });
    else this.#end({ status, reason, error: systemError("ECONNREFUSED", "connect", this.#url) });
  }

  #fail(status: number, error: Error): void {
    this.#drop();
    nextTurn(() => this.#end({ status, reason: "", error }));
  }

  /** Nothing comes any more. */
  #drop(): void {
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #end(close: WebSocketClose): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timeout);
    this.#sink.onClose(close);
  }

  send(message: string | Uint8Array): void {
    if (this.#socket.readyState === OPEN) this.#socket.send(message);
  }

  /** Of the protocol's own statuses a browser sends only the normal one. */
  close(status: number, reason: string): void {
    if (this.#timeout !== undefined || this.#ended) return;
    this.#timeout = setTimeout(() => this.terminate(), CLOSE_TIMEOUT);
    this.#socket.close(status >= 3000 && status <= 4999 ? status : NORMAL, reason);
  }

  terminate(): void {
    this.#drop();
    nextTurn(() => this.#end({ status: ABNORMAL, reason: "" }));
  }

  /** A page lives as long as its tab. */
  ref(): void {}

  unref(): void {}
}

/** What a page may not even try, such as `ws:` from `https:`. */
const FORBIDDEN: WebSocketLink = {
  buffered: 0,
  send: () => undefined,
  close: () => undefined,
  terminate: () => undefined,
  ref: () => undefined,
  unref: () => undefined,
};

/** Opens a WebSocket to a ws or wss URL. */
export function openWebSocket(url: string, sink: WebSocketSink): WebSocketLink {
  const { WebSocket } = globalThis as unknown as { WebSocket: new (url: string) => NativeWebSocket };
  try {
    return new BrowserWebSocket(url, new WebSocket(url), sink);
  } catch (error) {
    nextTurn(() => sink.onClose({ status: ABNORMAL, reason: "", error: toError(error) }));
    return FORBIDDEN;
  }
}

/** Rejects: a page cannot be a server. */
export const listenWeb: typeof node.listenWeb = async () => {
  throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "a page cannot listen for WebSockets" });
};
