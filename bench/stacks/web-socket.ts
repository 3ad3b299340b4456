import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { Stack } from "../contest.ts";

/** `ws` alone, as everybody would use it: what a registrar is compared with. */
export const webSocketEcho: Stack = {
  name: "bare ws",
  listen: async () => {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
    server.on("connection", (socket) => {
      socket.on("error", () => {});
      socket.on("message", (message, isBinary) => socket.send(isBinary ? message : message.toString()));
    });
    await once(server, "listening");
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
  connect: async (url) => messagesOver(await openSocket(url as string)),
};

/** A WebSocket that is open. */
export async function openSocket(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, "open");
  return socket;
}

/** Text messages, one a chunk: what is written is framed and sent over one socket, what comes over the other is read. */
export function messagesOver(
  outgoing: WebSocket,
  incoming = outgoing,
  frame = (text: string): string => text,
): Duplex {
  incoming.on("message", (message) => duplex.push(message));
  incoming.on("close", () => duplex.destroy());
  const duplex = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      outgoing.send(frame(`${chunk}`));
      done();
    },
    final(done) {
      outgoing.close();
      incoming.close();
      done();
    },
    destroy(error, done) {
      outgoing.terminate();
      incoming.terminate();
      done(error);
    },
  });
  return duplex;
}
