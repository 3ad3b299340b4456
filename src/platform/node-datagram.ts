import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { codeOf } from "../base/errors.ts";
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
  return new NodeDatagramSocket(socket, connect);
}

/** A `dgram` socket that is bound, as a DatagramSocket. Its `message`, `error` and `close` stay open to others. */
export function wrapDatagram(socket: Socket): DatagramSocket {
  return new NodeDatagramSocket(socket, undefined);
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
  readonly #socket: Socket;
  /** The only peer, if the socket is connected. */
  readonly #peer: SocketAddress | undefined;
  #sink: DatagramSink | undefined;
  #closed = false;
  #queued = false;

  constructor(socket: Socket, peer: SocketAddress | undefined) {
    this.#socket = socket;
    this.#peer = peer;
    const { address, port } = socket.address();
    this.local = { address, port };
    this.receiveBufferSize = socket.getRecvBufferSize();
    socket.on("message", (data: Buffer, remote: RemoteInfo) => this.#sink?.onDatagram(data, remote));
    socket.on("error", (error) => this.#onError(error));
    socket.on("close", () => this.#onClose());
  }

  send(data: Uint8Array, remote: SocketAddress, ttl?: number): SendResult {
    if (this.#closed) return "EBADF";
    return ttl === undefined ? this.#send(data, remote) : this.#sendWithTtl(data, remote, ttl);
  }

  #send(data: Uint8Array, remote: SocketAddress): SendResult {
    try {
      if (this.#peer) this.#socket.send(data, this.#onSent);
      else this.#socket.send(data, remote.port, remote.address, (error) => this.#afterSend(error, remote));
    } catch (error) {
      return codeOf(error) ?? "EIO";
    }
    if (this.#socket.getSendQueueCount() === 0) return "sent";
    this.#queued = true;
    return "queued";
  }

  readonly #onSent = (error: Error | null): void => this.#afterSend(error, this.#peer);

  #afterSend(error: Error | null, remote: SocketAddress | undefined): void {
    if (error) this.#sink?.onSendError?.(codeOf(error) ?? "EIO", remote);
    if (!this.#queued || this.#closed || this.#socket.getSendQueueCount() > 0) return;
    this.#queued = false;
    this.#sink?.onDrain?.();
  }

  /** The TTL belongs to the socket, so it only holds for a datagram that leaves at once. */
  #sendWithTtl(data: Uint8Array, remote: SocketAddress, ttl: number): SendResult {
    if (this.#socket.getSendQueueCount() > 0) return "ENOBUFS";
    this.#socket.setTTL(ttl);
    const result = this.#send(data, remote);
    this.#socket.setTTL(DEFAULT_TTL);
    return result;
  }

  attach(sink: DatagramSink): void {
    this.#sink = sink;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  /** A connected socket hears of refusals here; they and the like concern one datagram, not the socket. */
  #onError(error: Error): void {
    this.#sink?.onSendError?.(codeOf(error) ?? "EIO", this.#peer);
  }

  #onClose(): void {
    this.#closed = true;
    this.#sink?.onClose?.();
    this.#sink = undefined;
  }
}
