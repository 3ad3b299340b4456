import { setImmediate } from "node:timers/promises";
import type { Endpoint } from "1tp";
import { runtime as platform } from "#platform";
import type { Millis } from "../../../src/contract/clock.ts";
import type { Runtime } from "../../../src/contract/runtime.ts";
import type { Transport } from "../../../src/contract/transport.ts";
import { MemoryTransport } from "../../../transports/memory/index.ts";
import { TcpTransport } from "../../../transports/tcp/index.ts";
import { UdpTransport } from "../../../transports/udp/index.ts";
import { WebSocketTransport } from "../../../transports/websocket/index.ts";
import { Network } from "../../kit/network.ts";
import { simulatedRuntime } from "../../kit/simulated-runtime.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";

/** Where the two ends of a connection are. */
export interface Place {
  readonly server: Runtime;
  readonly client: Runtime;
  readonly listeningInfo: readonly Endpoint[];
}

/** A place where hours pass in no time. */
export interface TimelessPlace extends Place {
  /** Plays a scene that waits for nothing but this place. */
  run<T>(scene: () => Promise<T>): Promise<T>;
  /** Lets so many ms pass, and what they bring happen. */
  pass(ms: Millis): Promise<void>;
}

/** A transport that the tests of this room are played over. */
export interface Wire {
  readonly word: string;
  create(): Transport;
  /** This machine, in real time. */
  readonly place: Place;
  timeless(): TimelessPlace;
}

const loopback = (word: string): Place => ({
  server: platform,
  client: platform,
  listeningInfo: [{ transportType: word, transportInfo: { address: "127.0.0.1" } }],
});

/** Every transport: a new one joins by its line. */
export const WIRES: readonly Wire[] = [
  {
    word: "memory",
    create: () => new MemoryTransport(),
    place: { server: platform, client: platform, listeningInfo: [] },
    timeless: memoryWithoutTime,
  },
  {
    word: "tcp",
    create: () => new TcpTransport(),
    place: loopback("tcp"),
    timeless: () => socketsWithoutTime("tcp"),
  },
  { word: "udp", create: () => new UdpTransport(), place: loopback("udp"), timeless: udpWithoutTime },
  {
    word: "websocket",
    create: () => new WebSocketTransport(),
    place: loopback("websocket"),
    timeless: () => socketsWithoutTime("websocket"),
  },
];

function memoryWithoutTime(): TimelessPlace {
  const clock = new VirtualClock();
  const runtime = simulatedRuntime(clock);
  return {
    server: runtime,
    client: runtime,
    listeningInfo: [],
    run: (scene) => clock.run(scene),
    pass: (ms) => new Promise((resolve) => clock.setTimer(clock.now() + ms, resolve)),
  };
}

/** Turns of the event loop in which the system has handed out what it has ready on loopback (chosen). */
const TURNS = 20;

/** Real sockets under a clock that is moved: the transport itself has no timer. */
function socketsWithoutTime(word: string): TimelessPlace {
  const clock = new VirtualClock();
  const runtime = { ...platform, clock };
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < TURNS; turn++) await setImmediate();
  };
  return {
    ...loopback(word),
    server: runtime,
    client: runtime,
    run: (scene) => scene(),
    async pass(ms) {
      await settle();
      await clock.advanceAsync(ms);
      await settle();
    },
  };
}

/** 50 ms of round trip over the simulated internet. */
function udpWithoutTime(): TimelessPlace {
  const network = new Network();
  const internet = network.segment({ name: "internet", hops: 8, link: { latency: 12.5 } });
  const [server, client] = ["server", "client"].map((name, i) => {
    const host = network.host({ name });
    host.attach(internet, { addresses: [`5.0.0.${i + 1}`] });
    return host.runtime;
  });
  const { clock } = network;
  return {
    server: server!,
    client: client!,
    listeningInfo: [],
    run: (scene) => clock.run(scene),
    pass: (ms) => new Promise((resolve) => clock.setTimer(clock.now() + ms, resolve)),
  };
}
