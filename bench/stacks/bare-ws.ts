import type { AddressInfo } from "node:net";
import { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { Stack } from "../contest.ts";

const OPTIONS = { perMessageDeflate: false };

/** WebSockets of `ws` as they are: a message a write. */
export const bareWs: Stack = {
  name: "ws",
  listen: (onConnection) =>
    new Promise((resolve, reject) => {
      const server = new WebSocketServer({ ...OPTIONS, host: "127.0.0.1", port: 0 });
      server.on("connection", (socket) => onConnection(streamOf(socket)));
      server.once("error", reject);
      server.once("listening", () => resolve((server.address() as AddressInfo).port));
    }),
  connect: (port) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`, OPTIONS);
      socket.once("error", reject);
      socket.once("open", () => resolve(streamOf(socket)));
    }),
};

/** The least that a stream over messages can be. */
function streamOf(socket: WebSocket): Duplex {
  const stream = new Duplex({
    read() {},
    write: (chunk, _encoding, callback) => socket.send(chunk, callback),
    final(callback) {
      socket.close();
      callback();
    },
  });
  socket.on("message", (data) => stream.push(data));
  socket.on("close", () => stream.destroy());
  return stream;
}
