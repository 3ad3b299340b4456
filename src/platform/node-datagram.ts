import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
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

/** The address is a literal, so the lookup dgram insists on answers at once. */
function literalLookup(
  address: string,
  family: unknown,
  callback: (error: Error | null, address: string, family: number) => void,
): void {
  callback(null, address, Number(family));
}

/** Binds one UDP socket of the address's family (no dual stack). Rejects with an errno code. */
export function bindDatagram(options: BindOptions): Promise<DatagramSocket> {
  const family = ipFamily(options.address);
  const socket = createSocket({
    type: family === 6 ? "udp6" : "udp4",
    ipv6Only: family === 6,
    lookup: literalLookup as never,
  });
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address: options.address, port: options.port ?? 0 }, () => {
      socket.removeAllListeners("error");
      if (options.bufferSize !== undefined) growBuffers(socket, options.bufferSize);
      resolve(new NodeDatagramSocket(socket));
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
  #sink: DatagramSink | undefined;
  #closed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    const { address, port } = socket.address();
    this.local = { address, port };
    this.receiveBufferSize = socket.getRecvBufferSize();
    socket.on("message", (data: Buffer, remote: RemoteInfo) => this.#sink?.onDatagram(data, remote));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#sink?.onClose?.());
  }

  send(data: Uint8Array, remote: SocketAddress, ttl?: number): SendResult {
    if (this.#closed) return "EBADF";
    if (ttl !== undefined) return this.#sendWithTtl(data, remote, ttl);
    return this.#send(data, remote);
  }

  #send(data: Uint8Array, remote: SocketAddress): SendResult {
    try {
      this.#socket.send(data, remote.port, remote.address, (error) => {
        if (error) this.#sink?.onSendError?.((error as NodeJS.ErrnoException).code ?? "EIO", remote);
        if (this.#queued && this.#socket.getSendQueueCount() === 0) this.#drained();
      });
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? "EIO";
    }
    if (this.#socket.getSendQueueCount() === 0) return "sent";
    this.#queued = true;
    return "queued";
  }

  #queued = false;

  #drained(): void {
    this.#queued = false;
    this.#sink?.onDrain?.();
  }

  /** The TTL belongs to the socket, so it only holds for a datagram that leaves at once. */
  #sendWithTtl(data: Uint8Array, remote: SocketAddress, ttl: number): SendResult {
    if (this.#socket.getSendQueueCount() > 0) return "ENOBUFS";
    this.#socket.setTTL(ttl);
    const result = this.#send(data, remote);
    this.#socket.setTTL(64);
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

  #fail(error: Error): void {
    this.#closed = true;
    this.#socket.close();
    this.#sink?.onClose?.(error);
    this.#sink = undefined;
  }
}
