import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type ConnectionInfo, fingerprint, net } from "1tp";
import type { Row } from "./rows.ts";

/** How much of the file is sent. */
const FILE_BYTES = 16 * 2 ** 20;

/** What the client measured. */
export interface EchoResult {
  readonly endpoint: string;
  readonly connectMs: number;
  readonly bytes: number;
  readonly megabytesPerSecond: number;
  readonly sent: string;
  readonly received: string;
  /** Of the key the server has proved. */
  readonly fingerprint: string;
}

/** Serves echoes over the row's transport until closed. */
export async function serveEcho(row: Row): Promise<{ info: ConnectionInfo; close(): Promise<void> }> {
  const server = net.createServer(row.transports(), (socket) => {
    socket.on("error", (error) => console.error(`server: ${error.message}`));
    socket.pipe(socket);
  });
  const info = await server.listenP();
  return { info, close: () => server.closeP() };
}

/** Sends the head of a file to the echo server and compares what comes back. */
export async function sendFile(row: Row, info: ConnectionInfo, path: string): Promise<EchoResult> {
  const began = performance.now();
  const socket = await new net.Socket(row.transports()).connectP(info);
  const connectMs = performance.now() - began;
  const sent = createHash("sha256");
  const received = createHash("sha256");
  let bytes = 0;
  const measured = new PassThrough().on("data", (chunk) => {
    bytes += chunk.length;
    received.update(chunk);
  });
  const file = createReadStream(path, { end: FILE_BYTES - 1, highWaterMark: 65536 });
  file.on("data", (chunk) => sent.update(chunk));
  const start = performance.now();
  await Promise.all([pipeline(file, socket), pipeline(socket, measured)]);
  const seconds = (performance.now() - start) / 1000;
  const way = socket.report.find(({ outcome }) => outcome === "won")?.path;
  const { url } = socket.remoteAddress?.transportInfo ?? {};
  const { address, port } = way?.remote ?? socket.remoteAddress?.transportInfo ?? {};
  return {
    endpoint: typeof address === "string" ? `${address} port ${port}` : `${url ?? "this process"}`,
    connectMs,
    bytes,
    megabytesPerSecond: bytes / 1e6 / seconds,
    sent: sent.digest("hex"),
    received: received.digest("hex"),
    fingerprint: socket.remotePublicKey === undefined ? "" : fingerprint(socket.remotePublicKey),
  };
}
