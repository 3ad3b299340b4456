/** An endpoint that knows nobody but an introducing server. Called from `introducer.test.ts`. */
import { once } from "node:events";
import { type ConnectionInfo, createIdentity, net, signaling, type Transport, transports } from "1tp";
import { answerCalls } from "../kit/calls.ts";

const identity = createIdentity();
let ways: readonly Transport[];

/** Connects to the introducer, and serves echoes through it. Resolves with the way to it, and the connectionInfo. */
async function join(introducer: ConnectionInfo): Promise<{ by: string | undefined; info: ConnectionInfo }> {
  const direct = [new transports.tcp(), new transports.udp()];
  const socket = await new net.Socket(direct, { identity }).connectP(introducer);
  const options = { signaling: new signaling.introducer(socket) };
  ways = [new transports["udp-punch"](options), new transports.relay(options)];
  const server = net.createServer(ways, { identity }, (accepted) => {
    accepted.on("error", () => accepted.destroy());
    accepted.pipe(accepted);
  });
  return { by: socket.transport, info: await server.listenP() };
}

/** Dials another guest and sees bytes come back. Resolves with the transport. */
async function meet(info: ConnectionInfo): Promise<string | undefined> {
  const socket = await new net.Socket(ways, { identity, connectTimeout: 20_000 }).connectP(info);
  const { transport } = socket;
  socket.write("hello");
  await once(socket, "data");
  const closed = once(socket, "close");
  socket.end();
  await closed;
  return transport;
}

answerCalls({ join, meet });
