/** What people write with `net`, in the strictest TypeScript: it has to compile, with the sources' types and the package's. */
import http from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import tls from "node:tls";
import {
  type ConnectionInfo,
  type ErrorCode,
  formatReport,
  net,
  OnetpError,
  type Scheduler,
  type Socket,
  transports,
} from "1tp";
import { connect, createServer, UtpNode } from "1tp/utp";

/** A server and its events. */
export async function serve(): Promise<ConnectionInfo> {
  const server = net.createServer([new transports.tcp()], { allowHalfOpen: true }, (socket) => {
    const stream: Duplex = socket;
    socket.on("data", (data: Buffer) => data.length);
    socket.on("close", (hadError: boolean) => hadError);
    socket.on("error", (error: NodeJS.ErrnoException) => error.code);
    socket.on("timeout", () => socket.destroy());
    stream.pipe(socket);
  });
  server.on("connection", (socket) => socket.remotePublicKey?.length);
  server.on("transportError", (error, transport) => `${transport.type}: ${error.message}`);
  server.on("drop", ({ remoteAddress }) => remoteAddress.transportType);
  server.on("error", (error: NodeJS.ErrnoException) => error.code);
  const port = server.address()?.[0]?.transportInfo.port;
  const entry = { transportType: "tcp", transportInfo: { address: "::1", port: port ?? 0 } };
  return server.listenP([entry, null], { exclusive: true });
}

/** A client, its callbacks and its options. */
export async function dial(info: ConnectionInfo): Promise<string> {
  const everyone: Scheduler = {
    plan: (candidates) => candidates.map((candidate) => ({ candidate, startAfter: 0 })),
  };
  const socket: Socket = net.connect(info, null, { scheduler: everyone, timeout: 1000 }, () => socket.ref());
  socket.write("text", (error) => error?.message);
  socket.write("text", "latin1", (error) => error?.message);
  socket.write(new Uint8Array(1));
  socket.setTimeout(1000, () => socket.resetAndDestroy());
  socket
    .setKeepAlive(true, 1000)
    .setNoDelay()
    .unref()
    .end("last", () => {});
  for await (const chunk of socket) String(chunk);
  await pipeline(new net.Socket({ allowHalfOpen: true }), socket);
  new net.Server((accepted) => accepted.end()).unref();
  return formatReport(socket.report);
}

/** What went wrong. */
export function explain(error: unknown): ErrorCode | "other" {
  return error instanceof OnetpError ? error.code : "other";
}

/** What stands on a socket. */
export function carry(info: ConnectionInfo): void {
  http.request({ createConnection: () => net.connect(info) }).end();
  tls.connect({ socket: net.connect(info) }).end();
  const pages = http.createServer();
  net.createServer((socket) => pages.emit("connection", socket));
}

/** The same of plain uTP. */
export function plain(): void {
  const server = createServer({ pauseOnConnect: true }, (connection) => connection.pipe(connection));
  server.listen(1, () => {
    const connection = connect(1, "localhost", { objectMode: true });
    connection.write(Object.assign(Buffer.from("x"), { meta: "y" }), (error) => error?.message);
    connection.end("last", () => {});
    connection.end(() => {});
  });
  new UtpNode((connection) => connection.address().port).close();
}
