import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { codeOf, nodeError } from "../base/errors.ts";
import { ipFamily } from "../base/ip.ts";
import type {
  BindOptions,
  DatagramSink,
  DatagramSocket,
  SendResult,
  SocketAddress,
} from "../contract/datagram-socket.ts";

/** Payload of the largest IPv4 datagram; IPv6 allows 20 bytes more, which nobody needs. */
const MAX_PAYLOAD = 65507;
/** What systems set on a new socket (RFC 1700), to go back to. */
const DEFAULT_TTL = 64;

/** The address is a literal, so the lookup dgram insists on answers at once. */
function literalLookup(
  address: string,
  family: unknown,
  callback: (error: Error | null, address: string, family: number) => void,
): void {
  callback(null, address, Number(family));
}

/** Binds one UDP socket of the address's family (no dual stack). Rejects with an errno code. */
export async function bindDatagram(options: BindOptions): Promise<DatagramSocket> {
  const { address, port = 0, connect, bufferSize } = options;
  const family = ipFamily(address);
  const socket = createSocket({
    type: family === 6 ? "udp6" : "udp4",
    ipv6Only: family === 6,
    lookup: literalLookup as never,
  });
  try {
    await settle(socket, (done) => socket.bind({ address, port }, done));
    if (connect) await settle(socket, (done) => socket.connect(connect.port, connect.address, done));
  } catch (error) {
    socket.close();
    throw error;
  }
  if (bufferSize !== undefined) growBuffers(socket, bufferSize);
  return new NodeDatagramSocket(socket, connect, false);
}

/**
 * A `dgram` socket of somebody else's as a DatagramSocket, bound to `port` unless it is bound already. `close` gives it
 * back as it is: open, without our listeners; whether it keeps the process alive is not our business. Rejects with
 * dgram's errors.
 */
export async function borrowDatagram(socket: Socket, port?: number): Promise<DatagramSocket> {
  if (!startBinding(socket, port)) await bound(socket);
  return new NodeDatagramSocket(socket, undefined, true);
}

/** The `dgram` socket behind a DatagramSocket; undefined if there is none. */
export function dgramOf(socket: DatagramSocket): Socket | undefined {
  return socket instanceof NodeDatagramSocket ? socket.raw : undefined;
}

/** True if it is bound, false if it will be. Throws what `bind` throws, also if it is bound to another port. */
function startBinding(socket: Socket, port: number | undefined): boolean {
  const present = addressOf(socket);
  if (present !== undefined && (!port || port === present)) return true;
  try {
    socket.bind(port);
  } catch (error) {
    if (present !== undefined || codeOf(error) !== "ERR_SOCKET_ALREADY_BOUND") throw error;
  }
  return false;
}

/** The port a socket is bound to, if it is. */
function addressOf(socket: Socket): number | undefined {
  try {
    return socket.address().port;
  } catch {
    return undefined;
  }
}

function bound(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      socket.off("listening", settle).off("error", settle).off("close", closed);
      if (error) reject(error);
      else resolve();
    };
    const closed = (): void => settle(nodeError("ERR_SOCKET_DGRAM_NOT_RUNNING", "Not running"));
    socket.on("listening", settle).on("error", settle).on("close", closed);
  });
}

/** Runs one asynchronous step of a socket; its error event or the callback's error rejects. */
function settle(socket: Socket, start: (done: (error?: Error) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    start((error) => {
      socket.off("error", reject);
      if (error instanceof Error) reject(error);
      else resolve();
    });
  });
}

/** The system may grant less (`net.core.rmem_max`), which is not an error. */
function growBuffers(socket: Socket, size: number): void {
  for (const set of [() => socket.setRecvBufferSize(size), () => socket.setSendBufferSize(size)]) {
    try {
      set();
    } catch {
      // Some systems refuse sizes over their limit instead of clamping; the default stays.
    }
  }
}

class NodeDatagramSocket implements DatagramSocket {
  readonly local: SocketAddress;
  readonly maxPayload = MAX_PAYLOAD;
  readonly receiveBufferSize: number;
  readonly raw: Socket;
  /** The only peer, if the socket is connected. */
  readonly #peer: SocketAddress | undefined;
  /** It belongs to somebody else. */
  readonly #borrowed: boolean;
  #sink: DatagramSink | undefined;
  #closed = false;
  #queued = false;

  constructor(socket: Socket, peer: SocketAddress | undefined, borrowed: boolean) {
    this.raw = socket;
    this.#peer = peer;
    this.#borrowed = borrowed;
    const { address, port } = socket.address();
    this.local = { address, port };
    this.receiveBufferSize = socket.getRecvBufferSize();
    socket.on("message", this.#onMessage).on("error", this.#onError).on("close", this.#onClose);
  }

  send(data: Uint8Array, remote: SocketAddress, ttl?: number): SendResult {
    if (this.#closed) return "EBADF";
    if (this.#borrowed) data = new Uint8Array(data);
    return ttl === undefined ? this.#send(data, remote) : this.#sendWithTtl(data, remote, ttl);
  }

  #send(data: Uint8Array, remote: SocketAddress): SendResult {
    try {
      if (this.#peer) this.raw.send(data, this.#onSent);
      else this.raw.send(data, remote.port, remote.address, (error) => this.#afterSend(error, remote));
    } catch (error) {
      return codeOf(error) ?? "EIO";
    }
    // Somebody else's socket looks addresses up, also literals, so that it reads what it sends later: it gets copies.
    if (this.#borrowed || this.raw.getSendQueueCount() === 0) return "sent";
    this.#queued = true;
    return "queued";
  }

  readonly #onSent = (error: Error | null): void => this.#afterSend(error, this.#peer);

  #afterSend(error: Error | null, remote: SocketAddress | undefined): void {
    if (error) this.#sink?.onSendError?.(codeOf(error) ?? "EIO", remote);
    if (!this.#queued || this.#closed || this.raw.getSendQueueCount() > 0) return;
    this.#queued = false;
    this.#sink?.onDrain?.();
  }

  /** The TTL belongs to the socket, so it only holds for a datagram that leaves at once. */
  #sendWithTtl(data: Uint8Array, remote: SocketAddress, ttl: number): SendResult {
    if (this.raw.getSendQueueCount() > 0) return "ENOBUFS";
    this.raw.setTTL(ttl);
    const result = this.#send(data, remote);
    this.raw.setTTL(DEFAULT_TTL);
    return result;
  }

  attach(sink: DatagramSink): void {
    this.#sink = sink;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#borrowed) this.#giveBack();
    else this.raw.close();
  }

  #giveBack(): void {
    this.raw.off("message", this.#onMessage).off("error", this.#onError).off("close", this.#onClose);
    process.nextTick(this.#onClose);
  }

  ref(): void {
    if (!this.#borrowed) this.raw.ref();
  }

  unref(): void {
    if (!this.#borrowed) this.raw.unref();
  }

  readonly #onMessage = (data: Buffer, remote: RemoteInfo): void => this.#sink?.onDatagram(data, remote);

  /** A connected socket hears of refusals here; they and the like concern one datagram, not the socket. */
  readonly #onError = (error: Error): void => this.#sink?.onSendError?.(codeOf(error) ?? "EIO", this.#peer);

  readonly #onClose = (): void => {
    this.#closed = true;
    this.#sink?.onClose?.();
    this.#sink = undefined;
  };
}
