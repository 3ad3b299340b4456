import type {
  DatagramSink,
  DatagramSocket,
  SendResult,
  SocketAddress,
} from "../../../src/contract/datagram-socket.ts";

/** A DatagramSocket that keeps what it is given and says what the test wants. */
export class RecordedSocket implements DatagramSocket {
  readonly local: SocketAddress;
  readonly maxPayload = 65_507;
  readonly receiveBufferSize = 212_992;
  readonly sent: { readonly data: Uint8Array; readonly remote: SocketAddress }[] = [];
  /** The very arrays that were given to `send`. */
  readonly buffers: Uint8Array[] = [];
  sink: DatagramSink | undefined;
  referenced = true;
  closed = false;
  /** What `send` answers. */
  result: SendResult = "sent";

  constructor(local: SocketAddress = { address: "10.0.0.1", port: 1001 }) {
    this.local = local;
  }

  send(data: Uint8Array, remote: SocketAddress): SendResult {
    if (this.result === "sent" || this.result === "queued") this.sent.push({ data: data.slice(), remote });
    this.buffers.push(data);
    return this.result;
  }

  attach(sink: DatagramSink): void {
    this.sink = sink;
  }

  close(): void {
    this.closed = true;
  }

  ref(): void {
    this.referenced = true;
  }

  unref(): void {
    this.referenced = false;
  }
}
