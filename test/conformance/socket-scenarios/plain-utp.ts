import { connect, createServer } from "1tp/utp";
import type { Harness } from "./harness.ts";

/** `1tp/utp` on loopback. It has no sockets that are made before they are dialled. */
export const plainUtp: Harness = {
  name: "1tp/utp",
  createServer: (options = {}, onConnection) => createServer(options, onConnection),
  listen(server, callback) {
    (server as ReturnType<typeof createServer>).listen(0, "127.0.0.1", callback);
    return server;
  },
  createConnection(address, options = {}, onConnect) {
    const { port, address: host } = address as { readonly port: number; readonly address: string };
    return connect(port, host, options, onConnect);
  },
  createSocket: notHere,
  connect: notHere,
};

function notHere(): never {
  throw new Error("1tp/utp has no socket that is not dialled");
}
