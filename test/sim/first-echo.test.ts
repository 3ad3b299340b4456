import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import {
  type ConnectionInfo,
  createConnection,
  createServer,
  type Endpoint,
  type Socket,
  type SocketOptions,
  UdpTransport,
} from "1tp";
import type { Channel } from "../../src/contract/channel.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import type { Transport } from "../../src/contract/transport.ts";
import { MemoryHub, MemoryTransport } from "../../transports/memory/index.ts";
import { Network } from "../kit/network.ts";
import { simulatedRuntime } from "../kit/simulated-runtime.ts";
import { VirtualClock } from "../kit/virtual-clock.ts";

/** Ms from one end to the other and back. */
const ROUND_TRIP = 50;

/** Ms from the first call to the first byte that came back. */
async function firstEcho(
  info: ConnectionInfo,
  transport: Transport,
  runtime: Runtime,
  options: SocketOptions,
): Promise<number> {
  const began = runtime.clock.now();
  const socket = createConnection(info, [transport], { runtime, ...options });
  socket.write("x");
  await once(socket, "data");
  const ms = runtime.clock.now() - began;
  socket.destroy();
  return ms;
}

const echo = (socket: Socket) => void socket.pipe(socket);
const roundTrips = (ms: number): number => ms / ROUND_TRIP;

/** Two hosts half a round trip apart. */
function distantHosts(): { network: Network; server: Runtime; client: Runtime } {
  const network = new Network();
  const internet = network.segment({ name: "internet", hops: 8, link: { latency: ROUND_TRIP / 4 } });
  const [server, client] = ["server", "client"].map((name, i) => {
    const host = network.host({ name });
    host.attach(internet, { addresses: [`5.0.0.${i + 1}`] });
    return host.runtime;
  });
  return { network, server: server!, client: client! };
}

for (const [what, options, expected] of [
  ["a session takes two round trips", {}, 2],
  ["a session with an unknown peer takes two round trips", { allowUnknownPeer: true }, 2],
  ["plain uTP takes two round trips as well", { security: "none" }, 2],
] as const satisfies readonly (readonly [string, SocketOptions, number])[]) {
  test(`over udp the first echoed byte of ${what}`, async () => {
    const { network, server: runtime, client } = distantHosts();
    await network.clock.run(async () => {
      const { security = "noise" } = options as SocketOptions;
      const server = createServer([new UdpTransport()], { runtime, security }, echo);
      const address = await server.listenP();
      const info =
        "allowUnknownPeer" in options ? address.map(({ publicKey: _, ...entry }) => entry) : address;
      const ms = await firstEcho(info, new UdpTransport(), client, options);
      assert.equal(roundTrips(ms), expected);
      server.close();
    });
  });
}

/** Passes everything on, later. */
function delay(from: Channel, to: Channel, { clock }: Runtime): void {
  const later = (task: () => void) => void clock.setTimer(clock.now() + ROUND_TRIP / 2, task);
  from.attach({
    onData: (chunk) => later(() => void to.write(chunk)),
    onDrain() {},
    onEnd: () => later(() => to.end()),
    onClose: (error) => later(() => to.abort(error)),
  });
}

/** An endpoint half a round trip before another one. */
async function distant(target: Endpoint, transport: MemoryTransport, runtime: Runtime): Promise<Endpoint> {
  const { signal } = new AbortController();
  const listener = await transport.listen({
    runtime,
    listeningInfo: [],
    exclusive: false,
    onChannel: async (near) => {
      const far = await transport.dial(target, { runtime, signal, onPhase() {} });
      delay(near, far, runtime);
      delay(far, near, runtime);
    },
    onError: assert.fail,
  });
  return { ...target, ...listener.endpoints[0]! };
}

for (const [what, allowUnknownPeer, expected] of [
  ["two", false, 2],
  ["two with an unknown peer as well", true, 2],
] as const) {
  test(`over a stream that is open, as tcp after its own, the round trips are ${what}`, async () => {
    const clock = new VirtualClock();
    const runtime = simulatedRuntime(clock);
    const transport = new MemoryTransport({ hub: new MemoryHub() });
    await clock.run(async () => {
      const server = createServer([transport], { runtime }, echo);
      const [address] = await server.listenP();
      const { publicKey, ...entry } = await distant(address!, transport, runtime);
      const info = [allowUnknownPeer ? entry : { ...entry, publicKey: publicKey! }];
      const ms = await firstEcho(info, transport, runtime, { allowUnknownPeer });
      assert.equal(roundTrips(ms), expected);
      server.close();
    });
  });
}
