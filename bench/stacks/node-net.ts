import { connect, createServer } from "node:net";
import type { Stack } from "../contest.ts";

/** The kernel's TCP by Node's own module. */
export const nodeNet: Stack = {
  name: "node:net",
  listen: (onConnection) =>
    new Promise((resolve, reject) => {
      const server = createServer(onConnection).once("error", reject);
      server.listen(0, "127.0.0.1", () => resolve(server.address()));
    }),
  connect: (address) =>
    new Promise((resolve, reject) => {
      const { port } = address as { port: number };
      const socket = connect(port, "127.0.0.1", () => resolve(socket.off("error", reject)));
      socket.once("error", reject);
    }),
};
