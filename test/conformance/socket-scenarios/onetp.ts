import { createConnection, createServer, type Server, Socket, type Transport } from "1tp";
import type { Harness } from "./harness.ts";

type Info = Parameters<typeof createConnection>[0];

/** 1tp over one transport: with sessions, or without so that only the facade and the transport are compared. */
export function onetp(word: string, transport: Transport, security: "noise" | "none"): Harness {
  const transports = [transport];
  const transportInfo = word === "memory" ? {} : { address: "127.0.0.1", port: 0 };
  /** What is no object is passed on, to be refused. */
  const secured = <T>(options: T): T => (typeof options === "object" ? { ...options, security } : options);
  return {
    name: security === "noise" ? `1tp over ${word}` : `1tp over ${word} without sessions`,
    createServer: (options = {}, onConnection) => createServer(transports, secured(options), onConnection),
    listen: (server, callback) =>
      (server as Server).listen([{ transportType: word, transportInfo }], callback),
    createConnection: (address, options = {}, onConnect) =>
      createConnection(address as Info, transports, secured(options), onConnect),
    createSocket: (options = {}) => new Socket(transports, secured(options)),
    connect: (socket, address, onConnect) => (socket as Socket).connect(address as Info, onConnect),
  };
}
