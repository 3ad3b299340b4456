import { setImmediate } from "node:timers/promises";
import type { Endpoint } from "1tp";
import { runtime as platform } from "#platform";
import type { Millis } from "../../../src/contract/clock.ts";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import type { Runtime } from "../../../src/contract/runtime.ts";
import { Network } from "../../kit/network.ts";
import { simulatedRuntime } from "../../kit/simulated-runtime.ts";
import { TurnModel } from "../../kit/turn-model.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";

/** Where the two ends of a connection are. */
export interface Place {
  readonly server: Runtime;
  readonly client: Runtime;
  readonly listeningInfo: readonly Endpoint[];
  /** Where a TURN server is, if there is one. */
  readonly turn?: SocketAddress;
}

/** A place where hours pass in no time. */
export interface TimelessPlace extends Place {
  /** Plays a scene that waits for nothing but this place. */
  run<T>(scene: () => Promise<T>): Promise<T>;
  /** Lets so many ms pass, and what they bring happen. */
  pass(ms: Millis): Promise<void>;
}

/** This machine, in real time. */
export const machine: Place = { server: platform, client: platform, listeningInfo: [] };

/** This machine's loopback. */
export function loopback(word: string): Place {
  return { ...machine, listeningInfo: [{ transportType: word, transportInfo: { address: "127.0.0.1" } }] };
}

/** This machine with a TURN server, for which no process stays alive. */
export async function machineWithTurn(): Promise<Place> {
  const bindDatagram: Runtime["bindDatagram"] = async (options) => {
    const socket = await platform.bindDatagram!(options);
    socket.unref();
    return socket;
  };
  const address = "127.0.0.1";
  const { local } = await TurnModel.start({ ...platform, bindDatagram }, address, address, 0);
  return { ...machine, turn: local };
}

/** Memory under a clock that jumps. */
export function memoryWithoutTime(): TimelessPlace {
  const clock = new VirtualClock();
  const runtime = simulatedRuntime(clock);
  return {
    ...machine,
    server: runtime,
    client: runtime,
    run: (scene) => clock.run(scene),
    pass: (ms) => new Promise((resolve) => clock.setTimer(clock.now() + ms, resolve)),
  };
}

/** Turns of the event loop in which the system has handed out what it has ready on loopback (chosen). */
const TURNS = 20;

/** A place of this machine under a clock that is moved, for transports that have no timer. */
export function withoutTime(place: Place): TimelessPlace {
  const clock = new VirtualClock();
  const runtime = { ...platform, clock };
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < TURNS; turn++) await setImmediate();
  };
  return {
    ...place,
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

/** 50 ms of round trip over the simulated internet, which has a TURN server. */
export function internetWithoutTime(): TimelessPlace {
  const network = new Network();
  const internet = network.segment({ name: "internet", hops: 8, link: { latency: 12.5 } });
  const [server, client, turn] = ["server", "client", "turn"].map((name, i) => {
    const host = network.host({ name });
    host.attach(internet, { addresses: [`5.0.0.${i + 1}`] });
    return host.runtime;
  });
  void TurnModel.start(turn!, "5.0.0.3");
  const { clock } = network;
  return {
    server: server!,
    client: client!,
    listeningInfo: [],
    turn: { address: "5.0.0.3", port: 3478 },
    run: (scene) => clock.run(scene),
    pass: (ms) => new Promise((resolve) => clock.setTimer(clock.now() + ms, resolve)),
  };
}
