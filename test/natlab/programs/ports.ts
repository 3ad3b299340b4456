/** Opens plain UDP and TCP ports as it is told and tells what comes to them. Called through `kit/ports.ts`. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, isIPv6 } from "node:net";
import { text } from "node:stream/consumers";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { announce, answerCalls } from "../kit/calls.ts";

/** What came to a UDP socket: a datagram, or the code of an error that only a socket with one peer hears. */
export interface Arrival {
  readonly socket: number;
  readonly text: string;
  readonly from: SocketAddress | undefined;
}

const sockets: Socket[] = [];

async function openUdp({ local, peer }: { local: SocketAddress; peer?: SocketAddress }) {
  const family = isIPv6(local.address) ? 6 : 4;
  // The usual lookup comes back later, and a packet would leave with the next one's hop limit.
  const socket = createSocket({
    type: `udp${family}`,
    lookup: (name, _, found) => found(null, name, family),
  });
  const number = sockets.push(socket) - 1;
  const arrive = (text: string, from?: SocketAddress) =>
    announce("arrival", { socket: number, text, from } satisfies Arrival);
  socket.on("message", (data, { address, port }) => arrive(`${data}`, { address, port }));
  await new Promise<void>((listening) => socket.bind(local.port, local.address, listening));
  if (peer) await new Promise<void>((connected) => socket.connect(peer.port, peer.address, connected));
  socket.on("error", (error: NodeJS.ErrnoException) => arrive(`${error.code}`));
  return { socket: number, port: socket.address().port };
}

interface SendArgument {
  readonly socket: number;
  readonly text: string;
  readonly to: SocketAddress | undefined;
  readonly ttl: number;
}

function send({ socket: number, text, to, ttl }: SendArgument): Promise<void> {
  const socket = sockets[number]!;
  socket.setTTL(ttl);
  return new Promise((resolve, reject) => {
    const done = (error: Error | null) => (error ? reject(error) : resolve());
    if (to) socket.send(text, to.port, to.address, done);
    else socket.send(text, done);
  });
}

/** Tells everybody who connects which endpoint he comes from. */
async function serveTcp({ address, port }: SocketAddress): Promise<void> {
  const server = createServer((socket) => {
    socket.end(JSON.stringify({ address: socket.remoteAddress, port: socket.remotePort }));
  });
  server.listen(port, address);
  await once(server, "listening");
}

/** The endpoint a server sees, or the code of the error. */
async function askTcp({ to, timeout }: { to: SocketAddress; timeout: number }): Promise<unknown> {
  const socket = connect({ host: to.address, port: to.port, signal: AbortSignal.timeout(timeout) });
  try {
    return JSON.parse(await text(socket));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

answerCalls({ openUdp, send, serveTcp, askTcp });
