import type { Socket } from "node:dgram";
import type { Duplex } from "node:stream";
import Node from "utp-punch";
import type { Stack } from "../contest.ts";

const BUFFER_SIZE = 2 * 1024 * 1024;

/** utp-punch with large packets, a large window and large socket buffers, without which it is a third slower. */
export const utpPunch: Stack = {
  name: "utp-punch, tuned",
  listen: async (onConnection) => {
    const node = await bound(onConnection);
    node.listen();
    return node.address();
  },
  connect: async (address) => {
    const node = await bound();
    return new Promise((resolve) => {
      node.connect((address as { port: number }).port, "127.0.0.1", (socket) => {
        // Ports that stay open answer each other's resets for ever.
        socket.once("close", () => node.close());
        resolve(socket);
      });
    });
  },
};

/** What we use of it. */
interface Bound {
  listen(): void;
  close(): void;
  address(): unknown;
  getUdpSocket(): Socket;
  connect(port: number, host: string, onConnect: (socket: Duplex) => void): void;
}

function bound(onConnection?: (socket: Duplex) => void): Promise<Bound> {
  const node = new Node({ mtu: 1400, bufferSize: 512 }, onConnection);
  return new Promise((resolve) => {
    node.bind(0, "127.0.0.1", () => {
      const socket: Socket = node.getUdpSocket();
      socket.setRecvBufferSize(BUFFER_SIZE);
      socket.setSendBufferSize(BUFFER_SIZE);
      resolve(node);
    });
  });
}
