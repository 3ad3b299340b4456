import net from "node:net";
import type { Harness } from "./harness.ts";

/** The reference: Node's own `net`, over TCP on loopback. */
export const nodeNet: Harness = {
  name: "node:net",
  createServer: (options = {}, onConnection) => net.createServer(options, onConnection),
  listen: (server, callback) => (server as net.Server).listen(0, "127.0.0.1", callback),
  createConnection: (address, options = {}, onConnect) =>
    net.createConnection({ ...options, ...target(address) }, onConnect),
  createSocket: (options = {}) => new net.Socket(options),
  connect: (socket, address, onConnect) =>
    onConnect
      ? (socket as net.Socket).connect(target(address), onConnect)
      : (socket as net.Socket).connect(target(address)),
};

function target(address: unknown): net.TcpNetConnectOpts {
  const { address: host, port } = address as net.AddressInfo;
  return { host, port };
}
