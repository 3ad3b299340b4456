/**
 * Plain uTP (BEP 29) with the API of `node:net`: reliable ordered streams over UDP, unencrypted, for any other implementation.
 *
 * ```ts
 * import { connect, createServer } from "1tp/utp";
 *
 * const server = createServer((connection) => connection.pipe(connection));
 * server.listen(10000, () => connect(10000, "localhost").write("hello"));
 * ```
 *
 * @packageDocumentation
 */
import type { DgramSocket } from "#platform";
import { connectArguments, type SocketType, takeCallback } from "./arguments.ts";
import { Connection } from "./connection.ts";
import { dialParts } from "./connection-set.ts";
import type { Departure } from "./dialling.ts";
import { type ConnectionOptions, connectionSettings } from "./options.ts";
import { borrowPort } from "./port.ts";
import { Server, type ServerOptions } from "./server.ts";

export type { SocketType } from "./arguments.ts";
export type { ConnectionOptions } from "./options.ts";
export type { MetaBuffer, MetaBytes } from "./packets.ts";
export type { BoundAddress } from "./port.ts";
export type { ConnectCallback, ServerEvents, ServerOptions } from "./server.ts";
export { UtpNode, type UtpNodeEvents, type UtpNodeOptions } from "./utp-node.ts";
export { Connection, Server };

/** A server that accepts uTP connections. @throws for wrong options, with the codes Node uses. */
export function createServer(onConnection?: (connection: Connection) => void): Server;
export function createServer(options: ServerOptions, onConnection?: (connection: Connection) => void): Server;
export function createServer(...given: unknown[]): Server {
  const onConnection = takeCallback<(connection: Connection) => void>(given);
  const server = new Server(given[0] as ServerOptions | undefined);
  if (onConnection) server.on("connection", onConnection);
  return server;
}

/**
 * Connects to a uTP server from a UDP port of its own, of the kind that is named, or from a `dgram` socket of the user's, which stays
 * open. `host` defaults to this host. What goes wrong comes as `'error'`.
 * @throws ERR_INVALID_ARG_TYPE and the like for arguments of wrong types
 */
export function connect(
  port: number | string,
  host?: string,
  options?: ConnectionOptions,
  onConnect?: () => void,
): Connection;
export function connect(
  port: number | string,
  host: string | undefined,
  socket: DgramSocket | SocketType | undefined,
  options?: ConnectionOptions,
  onConnect?: () => void,
): Connection;
export function connect(port: number | string, host: string | undefined, onConnect: () => void): Connection;
export function connect(...given: unknown[]): Connection {
  const onConnect = takeCallback<() => void>(given);
  const { socket, family, options, ...target } = connectArguments(given);
  const settings = connectionSettings(options);
  const departure: Departure = socket
    ? { family, shared: (holder) => borrowPort(socket, 0, settings.runtime, holder) }
    : { family };
  const connection = new Connection(dialParts(departure, target, settings));
  if (onConnect) connection.once("connect", onConnect);
  return connection;
}
