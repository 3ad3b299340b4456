import type { NetSocket } from "../../src/host/stun-stream.ts";
import { StreamFrames } from "../../src/stun/framing.ts";

/** The longest check there is has half of it (chosen). */
const MAX_FRAME = 256;

/** What a link tells; nothing after `close` or `release`. */
export interface LinkSink {
  onOpen(): void;
  onFrame(frame: Uint8Array): void;
  /** What came is no STUN message. */
  onNonsense(): void;
  /** It is gone, or never came to be: once, last. */
  onGone(): void;
}

/** A socket of a punch, over which STUN messages go until it is chosen. It reads no byte more than belongs to one. */
export class LinkSocket {
  readonly #socket: NetSocket;
  readonly #sink: LinkSink;
  readonly #frames = new StreamFrames({ maxSize: MAX_FRAME });
  #done = false;
  readonly #listeners = [
    ["connect", () => this.#sink.onOpen()],
    ["readable", () => this.#read()],
    ["end", () => this.#gone()],
    ["error", () => this.#gone()],
    ["close", () => this.#gone()],
  ] as const;

  constructor(socket: NetSocket, sink: LinkSink) {
    this.#socket = socket;
    this.#sink = sink;
    for (const [event, listener] of this.#listeners) socket.on(event, listener);
  }

  #read(): void {
    while (!this.#done) {
      const chunk: Uint8Array | null = this.#socket.read(this.#frames.missing);
      if (!chunk) return;
      const [frame] = this.#frames.push(chunk);
      if (frame) this.#sink.onFrame(frame);
      if (this.#frames.broken) this.#sink.onNonsense();
    }
  }

  send(frame: Uint8Array): void {
    if (!this.#done) this.#socket.write(frame);
  }

  #gone(): void {
    if (this.#done) return;
    this.close();
    this.#sink.onGone();
  }

  /** Gives the socket away, with all bytes that follow the last message. */
  release(): NetSocket {
    this.#stop();
    return this.#socket;
  }

  /** Idempotent. */
  close(): void {
    if (this.#done) return;
    this.#stop();
    this.#socket.on("error", () => undefined).destroy();
  }

  #stop(): void {
    this.#done = true;
    for (const [event, listener] of this.#listeners) this.#socket.off(event, listener);
  }
}
