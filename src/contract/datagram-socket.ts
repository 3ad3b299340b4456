/** An IP endpoint. `address` is a canonical IP literal without zone unless link-local. */
export interface SocketAddress {
  readonly address: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** One UDP payload and the address it comes from or goes to. */
export interface Datagram {
  readonly data: Uint8Array;
  readonly remote: SocketAddress;
}

/**
 * What became of a datagram: `sent` leaves the buffer to the caller, `queued` means the system still
 * reads from the buffer (take another one, and stop sending until `onDrain`), else an errno code.
 */
export type SendResult = "sent" | "queued" | (string & {});

/** Receives what happens on a DatagramSocket. Called from the event loop only, never from inside `send`. */
export interface DatagramSink {
  /** `data` is the sink's to keep. `remote` may be a new object for every datagram. */
  onDatagram(data: Uint8Array, remote: SocketAddress): void;
  /** The send queue is empty again after a `queued`. */
  onDrain?(): void;
  /** A send failed or an ICMP error came; the socket lives on. `code` is an errno code such as ECONNREFUSED. */
  onSendError?(code: string, remote: SocketAddress | undefined): void;
  /** The socket is closed and nothing follows. */
  onClose?(error?: Error): void;
}

/** Sends and receives datagrams: a UDP socket, a TURN allocation, a simulated host. */
export interface DatagramSocket {
  readonly local: SocketAddress;
  /** The largest payload in bytes that `send` takes. */
  readonly maxPayload: number;
  /** Bytes the receive buffer holds, where known; what is in flight towards us must stay below. */
  readonly receiveBufferSize: number | undefined;
  /** `ttl` is the IP hop limit of this datagram alone. */
  send(data: Uint8Array, remote: SocketAddress, ttl?: number): SendResult;
  /** Datagrams that came before are lost. A second call replaces the sink. */
  attach(sink: DatagramSink): void;
  close(): void;
  ref(): void;
  unref(): void;
}

/** How to bind a DatagramSocket. */
export interface BindOptions {
  /** IP literal to bind to; the family follows from it. */
  readonly address: string;
  /** 0 or absent: any free port. */
  readonly port?: number;
  /**
   * Talk to this address alone: datagrams of others are not seen, and refusals (ICMP) come as `onSendError` with
   * ECONNREFUSED, which a socket for everybody is not told.
   */
  readonly connect?: SocketAddress;
  /** Wanted size of the system's receive and send buffers in bytes. */
  readonly bufferSize?: number;
}
