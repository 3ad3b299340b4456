import type { WebSocketLink } from "../../src/contract/web-socket.ts";
import type { MessageLink } from "../../src/host/link-channel.ts";

/** Normal closure (RFC 6455 §7.4.1). */
const NORMAL = 1000;

/** A WebSocket as what a channel stands on. */
export class WebSocketMessages implements MessageLink {
  readonly maxMessage: number;
  readonly #socket: WebSocketLink;

  constructor(socket: WebSocketLink, maxMessage: number) {
    this.#socket = socket;
    this.maxMessage = maxMessage;
  }

  get lent(): boolean {
    return this.#socket.lent ?? false;
  }

  send(message: string | Uint8Array): void {
    this.#socket.send(message);
  }

  close(): void {
    this.#socket.close(NORMAL, "");
  }

  terminate(): void {
    this.#socket.terminate();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }
}
