import type { ConnectionInfo, Endpoint } from "../contract/endpoint.ts";
import type { Transport } from "../contract/transport.ts";
import { sortArguments } from "./arguments.ts";
import type { ServerOptions, SocketOptions } from "./options.ts";
import { Server } from "./server.ts";
import { Socket } from "./socket.ts";

export { Server, Socket };

type Listener<Arguments extends unknown[]> = (...given: Arguments) => void;

/**
 * A server that listens on all `transports` at once (default: what the runtime has).
 * @throws for wrong arguments, with the codes Node uses.
 */
export function createServer(onConnection?: Listener<[Socket]>): Server;
export function createServer(options: ServerOptions, onConnection?: Listener<[Socket]>): Server;
export function createServer(
  transports: readonly Transport[] | null | undefined,
  onConnection?: Listener<[Socket]>,
): Server;
export function createServer(
  transports: readonly Transport[] | null | undefined,
  options?: ServerOptions,
  onConnection?: Listener<[Socket]>,
): Server;
export function createServer(...given: unknown[]): Server {
  return new Server(...(given as []));
}

/**
 * Connects to the server that gave out `connectionInfo`, over the cheapest transport that works.
 * @throws for wrong arguments, with the codes Node uses; what is wrong with the entries comes as `'error'`.
 */
export function createConnection(info: ConnectionInfo | Endpoint, onConnect?: Listener<[]>): Socket;
export function createConnection(
  info: ConnectionInfo | Endpoint,
  options: SocketOptions,
  onConnect?: Listener<[]>,
): Socket;
export function createConnection(
  info: ConnectionInfo | Endpoint,
  transports: readonly Transport[] | null | undefined,
  onConnect?: Listener<[]>,
): Socket;
export function createConnection(
  info: ConnectionInfo | Endpoint,
  transports: readonly Transport[] | null | undefined,
  options?: SocketOptions,
  onConnect?: Listener<[]>,
): Socket;
export function createConnection(info: ConnectionInfo | Endpoint, ...given: unknown[]): Socket {
  const { transports, options, listener } = sortArguments<SocketOptions, Listener<[]>>(given);
  return new Socket(transports, options).connect(info, listener);
}

/** The same as `createConnection`, as in `net`. */
export const connect: typeof createConnection = createConnection;
