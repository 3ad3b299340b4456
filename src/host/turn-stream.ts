import { nextTick } from "#platform";
import { systemError } from "../base/errors.ts";
import type { Millis } from "../contract/clock.ts";
import type { DatagramSink, DatagramSocket, SendResult, SocketAddress } from "../contract/datagram-socket.ts";
import { isChannelData, StreamFrames } from "../stun/framing.ts";
import type { NetSocket } from "./stun-stream.ts";

/** Bytes that may wait in the process before senders must stop: a relay's delay should stay small (chosen). */
const MAX_WAITING = 128 * 1024;
/** The largest frame a server has reason to send: ChannelData or a Data indication with a datagram of UDP. */
const MAX_FRAME = 65_535 + 64;
/** The kernel holds the server back when we are slow, and loses nothing (chosen: as of UDP sockets). */
const RECEIVE_BUFFER = 2 * 1024 * 1024;
/** How long a server that does not read may hold a closed socket (chosen). */
const CLOSE_TIMEOUT: Millis = 2500;

/**
 * A connected TCP or TLS socket to a TURN server as a socket of frames: each is a STUN message or ChannelData, padded on the
 * wire (RFC 8656 §12.5). It is its own from then on.
 */
export class TurnStream implements DatagramSocket {
  readonly local: SocketAddress;
  readonly maxPayload = MAX_FRAME;
  readonly receiveBufferSize = RECEIVE_BUFFER;
  readonly #socket: NetSocket;
  #sink: DatagramSink | undefined;
  #error: Error | undefined;
  #corked = false;
  #blocked = false;
  #closed = false;

  constructor(socket: NetSocket, server: SocketAddress) {
    this.#socket = socket;
    this.local = { address: socket.localAddress ?? "", port: socket.localPort ?? 0 };
    const frames = new StreamFrames({ channelData: true, maxSize: MAX_FRAME });
    socket.on("data", (chunk: Uint8Array) => {
      // A copy: one datagram that somebody keeps must not hold on to the whole chunk.
      for (const frame of frames.push(chunk)) this.#sink?.onDatagram(frame.slice(), server);
      if (frames.broken) socket.destroy(systemError("EPROTO", "read", server.address, server.port));
    });
    socket.on("drain", () => this.#drained());
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("close", () => this.#gone());
    socket.on("end", () => socket.destroy());
  }

  send(data: Uint8Array): SendResult {
    if (this.#closed) return "EPIPE";
    if (this.#blocked) return "ENOBUFS";
    // The socket reads it later, and `data` is the caller's.
    const padded = new Uint8Array(isChannelData(data) ? (data.length + 3) & ~3 : data.length);
    padded.set(data);
    this.#cork();
    this.#socket.write(padded);
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
