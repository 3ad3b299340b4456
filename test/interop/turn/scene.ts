import { once } from "node:events";
import type { Runtime } from "../../../src/contract/runtime.ts";
import { LocalSignaling, net, TurnTransport, type TurnTransportOptions } from "../../../src/index.ts";
import { runtime } from "../../../src/platform/node.ts";
import { Coturn, type CoturnSetup } from "../stun/coturn.ts";

const { bindDatagram: _, ...withoutUdp } = runtime;
/** A machine whose network takes no UDP. */
export const WITHOUT_UDP: Runtime = withoutUdp;

/** Who may use the servers of these tests. */
export const USER = { turnUsername: "us", turnPassword: "hush-hush" } as const;
const LONG_TERM = ["--lt-cred-mech", "-u", `${USER.turnUsername}:${USER.turnPassword}`, "-r", "here"];

/** A coturn with that user, which relays to loopback, too. */
export function startCoturn(options: readonly string[] = [], setup: CoturnSetup = {}): Promise<Coturn> {
  return Coturn.start([...LONG_TERM, "--allow-loopback-peers", ...options], setup);
}

/** As `startCoturn`, but peers on loopback are forbidden, as by default. */
export function startStrictCoturn(): Promise<Coturn> {
  return Coturn.start(LONG_TERM);
}

/** A transport that uses it. */
export function turnAt(coturn: Coturn, options: Partial<TurnTransportOptions> = {}): TurnTransport {
  const where = { turnServer: "127.0.0.1", turnPort: coturn.ports[0] };
  return new TurnTransport({ ...where, ...USER, signaling: new LocalSignaling(), ...options });
}

/** An echo server over those transports. */
export async function echoServer(...transports: TurnTransport[]): Promise<net.Server> {
  const server = net.createServer(transports, (socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  await server.listenP();
  return server;
}

/** Connects and has a word echoed; the socket is still open then. */
export async function greet(
  server: net.Server,
  transport: TurnTransport,
  options: ConstructorParameters<typeof net.Socket>[1] = {},
): Promise<net.Socket> {
  const socket = await new net.Socket([transport], options).connectP(server.address()!);
  socket.write("hello");
  const [data] = await once(socket, "data");
  if (`${data}` !== "hello") throw new Error(`an echo of ${data}`);
  return socket;
}

/** Ends a socket that `greet` gave. */
export async function leave(socket: net.Socket): Promise<void> {
  const closed = once(socket, "close");
  socket.end();
  socket.resume();
  await closed;
}
