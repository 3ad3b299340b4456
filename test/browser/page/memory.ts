import { net, transports } from "1tp";

/** Bytes in hexadecimal. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** Which of Node's globals there are. */
export function nodeGlobals(): string[] {
  return ["global", "process", "Buffer", "setImmediate", "require"].filter((name) => name in globalThis);
}

/** Sends `length` bytes through a server that echoes them, both in this page. */
export async function echo(length: number, security: "noise" | "none") {
  const sent = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(sent.subarray(at, at + 65_536));
  const server = net.createServer([new transports.memory()], { security }, (peer) => peer.pipe(peer));
  const info = await server.listenP();
  const socket = await new net.Socket([new transports.memory()], { security }).connectP(info);
  socket.end(sent);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  await server.closeP();
  const received = new Uint8Array(await new Blob(chunks).arrayBuffer());
  return {
    sent: await sha256(sent),
    received: await sha256(received),
    transport: socket.transport,
    keyProved: socket.remotePublicKey !== undefined && socket.remotePublicKey === info[0]?.publicKey,
    outcomes: socket.report.map(({ outcome }) => outcome),
  };
}
