import { nodeError } from "../base/errors.ts";
import type { Channel } from "../contract/channel.ts";

/** The callback of a stream's write. */
export type Callback = (error?: Error | null) => void;

/** The way from a socket's stream to its channel: one write at a time, held back until connected. */
export class Outgoing {
  #channel: Channel | undefined;
  #dispatched = 0;
  /** Size of the write that waits for the channel to drain; the stream still counts it as buffered. */
  #undrained = 0;
  #onDrained: Callback | undefined;
  #held: { readonly chunks: readonly Uint8Array[]; readonly callback: Callback } | undefined;

  /** Bytes handed to the channel, less those the stream still counts. */
  get settled(): number {
    return this.#dispatched - this.#undrained;
  }

  write(chunks: readonly Uint8Array[], callback: Callback): void {
    if (!this.#channel) {
      this.#held = { chunks, callback };
      return;
    }
    let room = true;
    let length = 0;
    for (const chunk of chunks) {
      length += chunk.length;
      if (!this.#channel.write(chunk)) room = false;
    }
    this.#dispatched += length;
    if (room) {
      callback();
      return;
    }
    this.#undrained = length;
    this.#onDrained = callback;
  }

  /** From now on writes go to `channel`, a write that was held back first. */
  open(channel: Channel): void {
    this.#channel = channel;
    const held = this.#held;
    this.#held = undefined;
    if (held) this.write(held.chunks, held.callback);
  }

  /** The channel has room again, or is gone: the write that waited is done, as far as `net` would say. */
  drained(): void {
    const callback = this.#onDrained;
    this.#onDrained = undefined;
    this.#undrained = 0;
    callback?.();
  }

  /** The socket was closed: a write that still waits for the connection fails. */
  close(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.callback(closedBeforeConnection());
  }
}

/** What `net` says to whoever waits for a connection that never came. */
export function closedBeforeConnection(): Error {
  return nodeError(
    "ERR_SOCKET_CLOSED_BEFORE_CONNECTION",
    "Socket closed before the connection was established",
  );
}
