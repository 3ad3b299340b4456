import { nextTick } from "#platform";
import { systemError } from "../base/errors.ts";
import type { Millis } from "../contract/clock.ts";
import type { DatagramSink, DatagramSocket, SendResult, SocketAddress } from "../contract/datagram-socket.ts";
import type { NetSocket } from "./stun-stream.ts";

/** How frames follow each other in a stream of bytes. */
export interface FrameCodec {
  /** The frames that `chunk` completes; they may be views of it. */
  push(chunk: Uint8Array): Uint8Array[];
  /** Nobody can tell where the next frame is. */
  readonly broken: boolean;
  /** A frame's bytes on the wire, in memory of their own. */
  wrap(frame: Uint8Array): Uint8Array;
  /** Bytes of the largest frame. */
  readonly maxSize: number;
}

/** Bytes that may wait in the process before senders must stop: a relay's delay should stay small (chosen). */
const MAX_WAITING = 128 * 1024;
/** Chosen: as of UDP sockets. */
const RECEIVE_BUFFER = 2 * 1024 * 1024;
/** How long a far end that does not read may hold a closed socket (chosen). */
const CLOSE_TIMEOUT: Millis = 2500;

/** A connected TCP or TLS socket as a socket of frames, which all go to the far end. It is its own from then on. */
export class FramedSocket implements DatagramSocket {
  readonly local: SocketAddress;
  readonly maxPayload: number;
  readonly receiveBufferSize: number;
  readonly #socket: NetSocket;
  readonly #codec: FrameCodec;
  #sink: DatagramSink | undefined;
  #error: Error | undefined;
  #corked = false;
  #blocked = false;
  #closed = false;

  /** `remote`: where all frames come from. `receiveBufferSize`: as of a DatagramSocket; the kernel holds the sender back, and loses nothing. */
  constructor(
    socket: NetSocket,
    remote: SocketAddress,
    codec: FrameCodec,
    receiveBufferSize = RECEIVE_BUFFER,
  ) {
    this.#socket = socket;
    this.receiveBufferSize = receiveBufferSize;
    this.#codec = codec;
    this.maxPayload = codec.maxSize;
    this.local = { address: socket.localAddress ?? "", port: socket.localPort ?? 0 };
    socket.on("data", (chunk: Uint8Array) => {
      // A copy: one datagram that somebody keeps must not hold on to the whole chunk.
      for (const frame of codec.push(chunk)) this.#sink?.onDatagram(frame.slice(), remote);
      if (codec.broken) socket.destroy(systemError("EPROTO", "read", remote.address, remote.port));
    });
    socket.on("drain", () => this.#drained());
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("close", () => this.#gone());
    socket.on("end", () => socket.destroy(systemError("ECONNRESET", "read", remote.address, remote.port)));
  }

  send(data: Uint8Array): SendResult {
    if (this.#closed) return "EPIPE";
    if (this.#blocked) return "ENOBUFS";
    // The socket reads it later, and `data` is the caller's.
    this.#cork();
    this.#socket.write(this.#codec.wrap(data));
    this.#blocked = this.#socket.writableLength > MAX_WAITING;
    return this.#blocked ? "queued" : "sent";
  }

  /** Frames of one turn leave in one system call. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    nextTick(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }

  #drained(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#sink?.onDrain?.();
  }

  #gone(): void {
    this.#closed = true;
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onClose?.(this.#error);
  }

  attach(sink: DatagramSink): void {
    this.#sink = sink;
  }

  /** What was sent still leaves. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.end();
    this.#socket.destroySoon();
    this.#socket.setTimeout(CLOSE_TIMEOUT, () => this.#socket.destroy());
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }
}
