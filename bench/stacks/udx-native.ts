import { once } from "node:events";
import type { Duplex } from "node:stream";
import UDX from "udx-native";
import type { Stack } from "../contest.ts";

const BUFFER_SIZE = 2 * 1024 * 1024;
const udx = new UDX();
let streams = 0;

/** A message of udx: bytes and where they come from. */
interface From {
  readonly host: string;
  readonly port: number;
}

/** udx with large socket buffers. It has no handshake: both tell the other the id of their stream. */
export const udxNative: Stack = {
  name: "udx-native, tuned",
  listen: async (onConnection) => {
    const socket = bound();
    socket.on("message", (message: Buffer, { host, port }: From) => {
      const stream = udx.createStream(++streams);
      stream.connect(socket, message.readUInt32LE(), port, host);
      onConnection(stream);
      socket.trySend(idOf(stream), port, host);
    });
    return socket.address();
  },
  connect: async (address) => {
    const { port } = address as From;
    const socket = bound();
    const stream = udx.createStream(++streams);
    stream.once("close", () => socket.close());
    socket.trySend(idOf(stream), port, "127.0.0.1");
    const [answer] = (await once(socket, "message")) as [Buffer];
    stream.connect(socket, answer.readUInt32LE(), port, "127.0.0.1");
    return stream as Duplex;
  },
};

function bound(): ReturnType<typeof udx.createSocket> {
  const socket = udx.createSocket();
  socket.bind(0, "127.0.0.1");
  socket.setRecvBufferSize(BUFFER_SIZE);
  socket.setSendBufferSize(BUFFER_SIZE);
  return socket;
}

function idOf({ id }: { id: number }): Buffer {
  const message = Buffer.alloc(4);
  message.writeUInt32LE(id);
  return message;
}
