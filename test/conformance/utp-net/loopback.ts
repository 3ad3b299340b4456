import { createSocket, type Socket as DgramSocket } from "node:dgram";
import { type EventEmitter, once } from "node:events";
import type { Readable } from "node:stream";
import { type Connection, createServer, type Server, type ServerOptions } from "1tp/utp";

/** A server on loopback that listens. */
export async function listen(
  options: ServerOptions = {},
  onConnection: (connection: Connection) => void = (connection) => connection.pipe(connection),
): Promise<Server> {
  const server = createServer(options, onConnection);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
}

/** The port a server or node is bound to. */
export function portOf(bound: { address(): { readonly port: number } | null }): number {
  return bound.address()!.port;
}

/** Resolves when a server, a node or a connection has closed, whatever errors come before. */
export async function closed(emitter: EventEmitter): Promise<void> {
  const ignore = (): void => {};
  emitter.on("error", ignore);
  await new Promise<void>((resolve) => emitter.once("close", () => resolve()));
  emitter.off("error", ignore);
}

/** Closes servers and waits for them. */
export async function close(...servers: readonly { close(callback: () => void): unknown }[]): Promise<void> {
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(resolve))));
}

/** The next error event. */
export async function failure(emitter: EventEmitter): Promise<NodeJS.ErrnoException> {
  return new Promise((resolve) => emitter.once("error", resolve));
}

/** The code of the next error event. */
export async function failureCode(emitter: EventEmitter): Promise<string | undefined> {
  return (await failure(emitter)).code;
}

/** All that a stream brings until it ends. */
export async function readAll(stream: Readable): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += chunk;
  return text;
}

/** A `dgram` socket that is bound on loopback. */
export async function boundSocket(): Promise<DgramSocket> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

/** A UDP port on which nobody is. */
export async function freePort(): Promise<number> {
  const socket = await boundSocket();
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

/** Notes what an emitter emits, in order. */
export function notes(emitter: EventEmitter, ...events: readonly string[]): string[] {
  const noted: string[] = [];
  for (const event of events) {
    emitter.on(event, (argument: unknown) => {
      noted.push(argument instanceof Error ? `${event} ${(argument as NodeJS.ErrnoException).code}` : event);
    });
  }
  return noted;
}
