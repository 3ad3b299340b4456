import {
  type Connection,
  type ConnectionOptions,
  connect,
  createServer,
  type Server,
} from "../../src/utp-net/index.ts";
import type { Stack } from "../contest.ts";

/** Plain uTP, each connection from a port of its own. */
export function onetpUtp(options: ConnectionOptions = {}): Stack {
  return {
    name: "1tp/utp",
    listen: (onConnection) => listen(options, onConnection).then((server) => server.address()),
    connect: (address) => connected(connect(portOf(address), "127.0.0.1", options)),
  };
}

/** Plain uTP, all connections between one port and another. */
export function onetpUtpOnePort(options: ConnectionOptions = {}): Stack {
  let client: Promise<Server> | undefined;
  return {
    ...onetpUtp(options),
    name: "1tp/utp, one port",
    connect: async (address) => {
      client ??= listen(options, () => {});
      return connected((await client).connectAddr(portOf(address), "127.0.0.1"));
    },
  };
}

function listen(options: ConnectionOptions, onConnection: (connection: Connection) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(options, onConnection).once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}

function connected(connection: Connection): Promise<Connection> {
  return new Promise((resolve, reject) => {
    connection.once("error", reject);
    connection.once("connect", () => resolve(connection.off("error", reject)));
  });
}

function portOf(address: unknown): number {
  return (address as { port: number }).port;
}
