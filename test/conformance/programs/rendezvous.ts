import { once } from "node:events";
import type { TestContext } from "node:test";
import { createConnection, createServer, type Socket, transports as words } from "1tp";

/** One way from a program to its server. */
export interface Road {
  readonly name: string;
  readonly word: "memory" | "tcp" | "udp" | "websocket";
  readonly security: "noise" | "none";
}

/** The transports every program runs over, with sessions and without. */
export const ROADS: readonly Road[] = (["tcp", "udp", "memory"] as const).flatMap((word) => [
  { name: word, word, security: "noise" },
  { name: `${word} without sessions`, word, security: "none" },
]);

/** A 1tp server that a program stands behind. */
export interface Rendezvous {
  /** A new connection to it. */
  dial(options?: { readonly allowHalfOpen?: boolean }): Socket;
  /** Every connection it has accepted. */
  readonly accepted: readonly Socket[];
}

/** Listens over one transport until the test is over. */
export async function meet(
  t: TestContext,
  { word, security }: Road,
  onConnection: (socket: Socket) => void,
  options: { readonly allowHalfOpen?: boolean } = {},
): Promise<Rendezvous> {
  const transports = [new words[word]()];
  const accepted: Socket[] = [];
  const sockets: Socket[] = [];
  const server = createServer(transports, { ...options, security }, (socket) => {
    accepted.push(socket);
    sockets.push(socket);
    onConnection(socket);
  });
  const transportInfo = word === "memory" ? {} : { address: "127.0.0.1", port: 0 };
  const address = await server.listenP([{ transportType: word, transportInfo }]);
  // Idle timers keep no process, and memory has no system resource that would.
  const awake = setInterval(() => {}, 0x7fffffff);
  t.after(async () => {
    clearInterval(awake);
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return {
    accepted,
    dial(given = {}) {
      const socket = createConnection(address, transports, { ...given, security });
      sockets.push(socket);
      return socket;
    },
  };
}
