import type { Duplex } from "node:stream";
import type { Bench, Holdings, Workload } from "../contest.ts";
import { cycle } from "./connects.ts";

const IDLE = 1000;
const CYCLES = 1000;

/** Resident memory of both processes for one connection that does nothing, over a thousand of them. */
export const idleMemory: Workload = {
  name: "memory per idle connection",
  unit: "KB",
  serve: (socket) => void socket.resume(),

  async measure(bench) {
    await cycle(bench, 100);
    const before = await bench.holdings();
    const sockets: Duplex[] = [];
    while (sockets.length < IDLE) {
      sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => bench.connect()))));
    }
    const after = await bench.holdings();
    for (const socket of sockets) socket.destroy();
    return (after.rss - before.rss) / 1024 / IDLE;
  },
};

/** Handles both processes hold after a thousand connections more than they held before. */
export const handlesLeft = leftAfterCycles("handles", "", ({ handles }) => handles);

/** Heap both processes hold for each of a thousand connections that are gone. */
export const heapLeft = leftAfterCycles("heap", "B", ({ heap }) => heap / CYCLES);

/** The first thousand cycles let caches and compiled code reach their size; the second must add nothing. */
function leftAfterCycles(name: string, unit: string, read: (holdings: Holdings) => number): Workload {
  const cycles = async (bench: Bench): Promise<number> => {
    await cycle(bench, CYCLES);
    return read(await bench.holdings());
  };
  return {
    name: `${name} left by 1,000 connections`,
    unit,
    serve: (socket) => void socket.resume(),
    measure: async (bench) => -(await cycles(bench)) + (await cycles(bench)),
  };
}
