import { type ConnectionInfo, net, type ServerOptions, type Transport } from "../../src/index.ts";
import type { Stack } from "../contest.ts";

/** 1tp over one transport on the loopback address. */
export function onetp(transport: Transport, options: ServerOptions): Stack {
  const { type } = transport;
  return {
    name: `1tp ${type}`,
    listen: (onConnection) => {
      const server = net.createServer([transport], options, onConnection);
      return server.listenP([{ transportType: type, transportInfo: { address: "127.0.0.1", port: 0 } }]);
    },
    connect: (address) =>
      new Promise((resolve, reject) => {
        const socket = net.createConnection(address as ConnectionInfo, [transport], options, () =>
          resolve(socket.off("error", reject)),
        );
        socket.once("error", reject);
      }),
  };
}
