import { nodeError } from "../base/errors.ts";
import type { Channel } from "../contract/channel.ts";

/** The callback of a stream's write. */
export type Callback = (error?: Error | null) => void;

/** The way from a socket's stream to its channel: one write at a time. */
export class Outgoing {
  #dispatched = 0;
  /** Size of the write that waits for the channel to drain; the stream still counts it as buffered. */
  #undrained = 0;
  #onDrained: Callback | undefined;

  /** Bytes handed to the channel, less those the stream still counts. */
  get settled(): number {
    return this.#dispatched - this.#undrained;
  }

  write(channel: Channel, chunks: readonly Uint8Array[], callback: Callback): void {
    let room = true;
    let length = 0;
    for (const chunk of chunks) {
      length += chunk.length;
      if (!channel.write(chunk)) room = false;
    }
    this.#dispatched += length;
    if (room) {
      callback();
      return;
    }
    this.#undrained = length;
    this.#onDrained = callback;
  }

  /** The channel has room again, or is gone: the write that waited is done, as far as `net` would say. */
  drained(): void {
    const callback = this.#onDrained;
    this.#onDrained = undefined;
    this.#undrained = 0;
    callback?.();
  }
}

/** What `net` says to whoever waits for a connection that never came. */
export function closedBeforeConnection(): Error {
  return nodeError(
    "ERR_SOCKET_CLOSED_BEFORE_CONNECTION",
    "Socket closed before the connection was established",
  );
}
