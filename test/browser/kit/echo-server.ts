import { once } from "node:events";
import { type ConnectionInfo, net, type Server, type Socket, type Transport } from "1tp";

/** A server in Node for pages to dial. */
export interface PageServer {
  readonly server: Server;
  readonly info: ConnectionInfo;
  /** The next socket that comes. */
  nextSocket(): Promise<Socket>;
}

/** Listens; every socket goes to `onSocket`. */
export async function serve(transport: Transport, onSocket: (socket: Socket) => void): Promise<PageServer> {
  const server = net.createServer([transport], { allowHalfOpen: true }, onSocket);
  const info = await server.listenP();
  return { server, info, nextSocket: async () => (await once(server, "connection"))[0] as Socket };
}

/** Sends back what comes. */
export function echo(socket: Socket): void {
  socket.on("error", () => undefined);
  socket.pipe(socket);
}
