import { addAbortSignal, nextTick } from "#platform";
import { codeOf } from "../base/errors.ts";
import { ipFamily } from "../base/ip.ts";
import type { Channel } from "../contract/channel.ts";
import type { Endpoint } from "../contract/endpoint.ts";
import { ChannelStream } from "../net/channel-stream.ts";
import type { Callback } from "../net/outgoing.ts";
import type { ConnectionSettings } from "./options.ts";
import { toPacket } from "./packets.ts";

/** What a connection is made of. */
export interface ConnectionParts {
  readonly settings: ConnectionSettings;
  /** What `address()` says until the peer's address is known. */
  readonly remote: { readonly host: string; readonly port: number };
  /** A channel that is open, or the way to one. */
  readonly channel: Channel | ((signal: AbortSignal) => Promise<Channel>);
  /** Called once, when the connection is destroyed. */
  readonly onDestroy?: (connection: Connection) => void;
  /** The peer is silent. Returns whether somebody heard of it. */
  readonly onSilence?: (connection: Connection) => boolean;
}

/**
 * A uTP connection: a Duplex with the surface, the events and the error codes of `net.Socket`. When the peer is silent
 * it emits `'timeout'`, then `'error'` ETIMEDOUT, which needs no listener if `'timeout'` had one. Made by `connect` and servers.
 */
export class Connection extends ChannelStream {
  readonly #remote: { readonly host: string; readonly port: number };
  readonly #dataLength: number;
  readonly #objectMode: boolean;
  readonly #onDestroy: ((connection: Connection) => void) | undefined;
  readonly #onSilence: ((connection: Connection) => boolean) | undefined;

  constructor({ settings, remote, channel, onDestroy, onSilence }: ConnectionParts) {
    super({ clock: settings.runtime.clock, stream: settings.stream });
    this.#onDestroy = onDestroy;
    this.#remote = remote;
    this.#dataLength = settings.dataLength;
    this.#objectMode = settings.framing !== undefined;
    this.#onSilence = onSilence;
    if (typeof channel === "function") this.#dial(channel);
    else this.adopt(channel);
    if (settings.signal) addAbortSignal(settings.signal, this);
  }

  #dial(open: (signal: AbortSignal) => Promise<Channel>): void {
    const dialling = new AbortController();
    this.startConnecting((reason) => dialling.abort(reason));
    // What a listener throws is not the promise's to catch.
    open(dialling.signal).then(
      (channel) => nextTick(() => this.#connected(channel)),
      (error) => nextTick(() => this.fail(error)),
    );
  }

  #connected(channel: Channel): void {
    if (this.destroyed) channel.abort();
    else this.finishConnecting(channel);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    super._destroy(error, callback);
    this.#onDestroy?.(this);
  }

  protected override fail(error: Error): void {
    if (!this.destroyed && codeOf(error) === "ETIMEDOUT") {
      const heard = this.emit("timeout");
      if (this.#onSilence?.(this) || heard) this.on("error", () => {});
    }
    this.destroy(error);
  }

  /** The peer: its name as given to `connect` until its address is known. */
  address(): { host: string; port: number } {
    const { host, port } = this.#remote;
    return { host: this.remoteAddress ?? host, port };
  }

  /** The peer's IP address, once connected. */
  get remoteAddress(): string | undefined {
    return addressOf(this.channel?.remote);
  }

  /** The peer's port, once connected. */
  get remotePort(): number | undefined {
    return portOf(this.channel?.remote);
  }

  /** `IPv4` or `IPv6`, once connected. */
  get remoteFamily(): "IPv4" | "IPv6" | undefined {
    return this.remoteAddress === undefined ? undefined : `IPv${ipFamily(this.remoteAddress) || 4}`;
  }

  /** The address our socket is bound to, once connected. */
  get localAddress(): string | undefined {
    return addressOf(this.channel?.local);
  }

  /** Our port, once connected. */
  get localPort(): number | undefined {
    return portOf(this.channel?.local);
  }

  /** Bytes sent, those still buffered and the `data` option included. */
  override get bytesWritten(): number {
    return this.#dataLength + super.bytesWritten;
  }

  /** As in `net`; in object mode a Buffer may have a `meta`. @throws also for metadata of a wrong type or length. */
  override write(chunk: unknown, callback?: Callback): boolean;
  override write(chunk: unknown, encoding?: BufferEncoding, callback?: Callback): boolean;
  override write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
    const packet = this.#objectMode ? toPacket(chunk) : chunk;
    return super.write(packet, encoding as BufferEncoding, callback as Callback);
  }

  /** As in `net`; in object mode a Buffer may have a `meta`. @throws as `write`. */
  override end(onFinish?: () => void): this;
  override end(chunk: unknown, onFinish?: () => void): this;
  override end(chunk: unknown, encoding?: BufferEncoding, onFinish?: () => void): this;
  override end(chunk?: unknown, encoding?: unknown, onFinish?: unknown): this {
    const last = this.#objectMode ? toPacket(chunk) : chunk;
    return super.end(last, encoding as BufferEncoding, onFinish as () => void);
  }
}

function addressOf(endpoint: Endpoint | undefined): string | undefined {
  return endpoint?.transportInfo.address as string | undefined;
}

function portOf(endpoint: Endpoint | undefined): number | undefined {
  return endpoint?.transportInfo.port as number | undefined;
}
