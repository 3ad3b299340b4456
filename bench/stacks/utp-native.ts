import type { Duplex } from "node:stream";
import utp from "utp-native";
import type { Stack } from "../contest.ts";

const BUFFER_SIZE = 2 * 1024 * 1024;

/** libutp with large socket buffers, without which it crawls. */
export const utpNative: Stack = {
  name: "utp-native, tuned",
  listen: async (onConnection) => {
    const server = await bound();
    server.on("connection", onConnection).listen();
    return server.address();
  },
  connect: async (address) => {
    const socket = await bound();
    const connection: Duplex = socket.connect((address as { port: number }).port, "127.0.0.1");
    connection.once("close", () => socket.close());
    return new Promise((resolve, reject) => {
      connection.once("error", reject);
      connection.once("connect", () => resolve(connection.off("error", reject)));
    });
  },
};

function bound(): Promise<ReturnType<typeof utp>> {
  const socket = utp();
  return new Promise((resolve) => {
    socket.bind(0, "127.0.0.1", () => {
      socket.setRecvBufferSize(BUFFER_SIZE);
      socket.setSendBufferSize(BUFFER_SIZE);
      resolve(socket);
    });
  });
}
