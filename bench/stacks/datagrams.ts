import { createSocket, type Socket } from "node:dgram";
import { Duplex } from "node:stream";
import type { Stack } from "../contest.ts";

const PAYLOAD = 1400;
/** As our own packets have. */
const HEADER = 20;
const BUFFER_SIZE = 2 * 1024 * 1024;
/** Datagrams that wait for an acknowledgement at most: less than half of the buffer. */
const WINDOW = 512;
const DATA = 0;
const ACK = 1;

/**
 * The least that a stream over `dgram` costs: a Duplex, datagrams of 1400 bytes, a window, one acknowledgement a burst. Nothing is
 * sent again; what the window allows is never lost on the loopback.
 */
export const datagrams: Stack = {
  name: "bare dgram",
  listen: async (onConnection) => {
    const socket = await bound();
    const streams = new Map<number, DatagramStream>();
    socket.on("message", (data, { port, address }) => {
      let stream = streams.get(port);
      if (!stream) {
        stream = new DatagramStream((out) => socket.send(out, port, address), socket);
        streams.set(port, stream);
        onConnection(stream);
      }
      stream.receive(data);
    });
    return socket.address();
  },
  connect: async (address) => {
    const socket = await bound();
    const { port } = address as { port: number };
    await new Promise<void>((resolve) => socket.connect(port, "127.0.0.1", () => resolve()));
    const stream = new DatagramStream((out) => socket.send(out), socket);
    socket.on("message", (data) => stream.receive(data));
    return stream.once("close", () => socket.close());
  },
};

class DatagramStream extends Duplex {
  readonly #send: (out: Uint8Array) => void;
  readonly #socket: Socket;
  #scratch = Buffer.alloc(HEADER + PAYLOAD);
  #sent = 0;
  #acknowledged = 0;
  #received = 0;
  #acknowledging = false;
  #rest: { readonly chunk: Buffer; readonly done: () => void } | undefined;

  constructor(send: (out: Uint8Array) => void, socket: Socket) {
    super();
    this.#send = send;
    this.#socket = socket;
  }

  receive(data: Buffer): void {
    if (data[0] === ACK) {
      this.#acknowledged = data.readUInt32LE(1);
      const rest = this.#rest;
      this.#rest = undefined;
      if (rest) this._write(rest.chunk, "buffer", rest.done);
      return;
    }
    this.#received++;
    this.push(data.subarray(HEADER));
    if (this.#acknowledging) return;
    this.#acknowledging = true;
    setImmediate(() => this.#acknowledge());
  }

  #acknowledge(): void {
    this.#acknowledging = false;
    const ack = Buffer.alloc(HEADER);
    ack[0] = ACK;
    ack.writeUInt32LE(this.#received, 1);
    this.#send(ack);
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: string, done: () => void): void {
    for (let at = 0; at < chunk.length; at += PAYLOAD) {
      if (this.#sent - this.#acknowledged >= WINDOW) {
        this.#rest = { chunk: chunk.subarray(at), done };
        return;
      }
      this.#transmit(chunk.subarray(at, at + PAYLOAD));
    }
    done();
  }

  #transmit(payload: Buffer): void {
    this.#sent++;
    this.#scratch[0] = DATA;
    payload.copy(this.#scratch, HEADER);
    this.#send(this.#scratch.subarray(0, HEADER + payload.length));
    // What the system has queued is ours no more.
    if (this.#socket.getSendQueueCount() > 0) this.#scratch = Buffer.alloc(HEADER + PAYLOAD);
  }
}

function bound(): Promise<Socket> {
  const socket = createSocket({
    type: "udp4",
    recvBufferSize: BUFFER_SIZE,
    sendBufferSize: BUFFER_SIZE,
    // Addresses are literals here; looked up at once, datagrams leave at once.
    lookup: (address, _, callback) => callback(null, address, 4),
  });
  return new Promise((resolve) => socket.bind(0, "127.0.0.1", () => resolve(socket)));
}
