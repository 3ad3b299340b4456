import { createConnection, createServer, type Server, Socket, transports as words } from "1tp";
import type { Harness } from "./harness.ts";

type Info = Parameters<typeof createConnection>[0];

/** 1tp over one transport, without a session, so that nothing but the facade and the transport is compared. */
export function onetp(word: keyof typeof words): Harness {
  const transports = [new words[word]()];
  const transportInfo = word === "memory" ? {} : { address: "127.0.0.1", port: 0 };
  /** What is no object is passed on, to be refused. */
  const raw = <T>(options: T): T =>
    typeof options === "object" ? { ...options, security: "none" } : options;
  return {
    name: `1tp over ${word}`,
    createServer: (options = {}, onConnection) => createServer(transports, raw(options), onConnection),
    listen: (server, callback) =>
      (server as Server).listen([{ transportType: word, transportInfo }], callback),
    createConnection: (address, options = {}, onConnect) =>
      createConnection(address as Info, transports, raw(options), onConnect),
    createSocket: (options = {}) => new Socket(transports, raw(options)),
    connect: (socket, address, onConnect) => (socket as Socket).connect(address as Info, onConnect),
  };
}
