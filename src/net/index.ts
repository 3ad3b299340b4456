import { typeError } from "../base/argument.ts";
import type { ConnectionInfo, Endpoint } from "../contract/endpoint.ts";
import type { Transport } from "../contract/transport.ts";
import type { ServerOptions, SocketOptions } from "./options.ts";
import { Server } from "./server.ts";
import { Socket } from "./socket.ts";

export { Server, Socket };

type Listener<Arguments extends unknown[]> = (...given: Arguments) => void;

/** `[transports], [options], [listener]`, each of which may be left out, as their types tell. */
function sortArguments<Options extends object, L>(given: readonly unknown[]) {
  let from = 0;
  let until = given.length;
  while (until > 0 && given[until - 1] === undefined) until--;
  const listener = typeof given[until - 1] === "function" ? (given[--until] as L) : undefined;
  const transports = Array.isArray(given[0]) ? (given[from++] as readonly Transport[]) : undefined;
  if (from === 0 && until > 1 && (given[0] === undefined || given[0] === null)) from = 1;
  const options = from < until ? (given[from] ?? {}) : {};
  if (typeof options !== "object" || given[from] === null)
    throw typeError("options", "an object", given[from]);
  if (until > from + 1) throw typeError("listener", "of type function", given[until - 1]);
  return { transports, options: options as Options, listener };
}

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
  const { transports, options, listener } = sortArguments<ServerOptions, Listener<[Socket]>>(given);
  const server = new Server(transports, options);
  if (listener) server.on("connection", listener);
  return server;
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
