import type {
  DatagramSink,
  DatagramSocket,
  SendResult,
  SocketAddress,
} from "../../../src/contract/datagram-socket.ts";

/** The largest payload of a UDP datagram over IPv4. */
export const MAX_PAYLOAD = 65_507;

/** Receive buffer of a Linux socket nobody has set (`net.core.rmem_default`). */
const RECEIVE_BUFFER = 212_992;

/** What a socket needs from the machine it is on. */
export interface SocketOwner {
  /** An errno code if the datagram cannot leave. Copies the data. */
  transmit(
    socket: UdpSocket,
    data: Uint8Array,
    remote: SocketAddress,
    ttl: number | undefined,
  ): string | undefined;
  /** Whether the system takes no more for now, so that datagrams wait in the sender's own buffers. */
  readonly holding: boolean;
  /** Runs `task` from the event loop. */
  soon(task: () => void): void;
  release(socket: UdpSocket): void;
}

interface Held {
  /** The sender's own array, read only when the queue empties, as libuv does. */
  readonly data: Uint8Array;
  readonly remote: SocketAddress;
}

/** A simulated UDP socket that behaves as Node's does behind the DatagramSocket contract. */
export class UdpSocket implements DatagramSocket {
  readonly local: SocketAddress;
  /** The only endpoint it talks to, if it is connected. */
  readonly peer: SocketAddress | undefined;
  readonly maxPayload = MAX_PAYLOAD;
  readonly receiveBufferSize: number;
  referenced = true;
  readonly #owner: SocketOwner;
  #sink: DatagramSink | undefined;
  #held: Held[] = [];
  #closed = false;

  constructor(
    owner: SocketOwner,
    local: SocketAddress,
    peer: SocketAddress | undefined,
    bufferSize = RECEIVE_BUFFER,
  ) {
    this.#owner = owner;
    this.local = local;
    this.peer = peer;
    this.receiveBufferSize = bufferSize;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(data: Uint8Array, to: SocketAddress, ttl?: number): SendResult {
    if (this.#closed) return "EBADF";
    const remote = this.peer ?? to;
    if (!(remote.port >= 1 && remote.port <= 65535)) return "ERR_SOCKET_BAD_PORT";
    if (this.#held.length > 0 || this.#owner.holding) {
      // A hop limit belongs to the socket, so it cannot wait in a queue.
      if (ttl !== undefined) return "ENOBUFS";
      this.#held.push({ data, remote });
      return "queued";
    }
    this.#transmit(data, remote, ttl);
    return "sent";
  }

  attach(sink: DatagramSink): void {
    this.#sink = sink;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#held = [];
    this.#owner.release(this);
    this.#owner.soon(() => this.#sink?.onClose?.());
  }

  ref(): void {
    this.referenced = true;
  }

  unref(): void {
    this.referenced = false;
  }

  /** The machine hands over a datagram. */
  deliver(data: Uint8Array, remote: SocketAddress): void {
    this.#sink?.onDatagram(data, remote);
  }

  /** Sends what was held and says so. */
  drain(): void {
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    for (const { data, remote } of held) this.#transmit(data, remote, undefined);
    this.#owner.soon(() => {
      if (!this.#closed && this.#held.length === 0) this.#sink?.onDrain?.();
    });
  }

  /** Tells the sink of an error, later. */
  fail(code: string, remote: SocketAddress | undefined): void {
    this.#owner.soon(() => {
      if (!this.#closed) this.#sink?.onSendError?.(code, remote);
    });
  }

  #transmit(data: Uint8Array, remote: SocketAddress, ttl: number | undefined): void {
    const code = data.length > MAX_PAYLOAD ? "EMSGSIZE" : this.#owner.transmit(this, data, remote, ttl);
    if (code) this.fail(code, remote);
  }
}
