import type { Duplex } from "node:stream";
import type { Holdings, Role, Workload } from "../contest.ts";
import { cycle } from "./connects.ts";

const CYCLES = 1000;

/** Resident memory of both processes for one connection that does nothing, over a thousand of them. */
export const idleMemory = idle("memory per idle connection", 1000, ([client, server]) => client + server);

/** The same of the process that needs more of it, over so many that what V8 sets aside once does not count. */
export const idleMemoryOfSide = idle("memory per idle connection, larger side", 5000, (sides) =>
  Math.max(...sides),
);

/** The same of a server for one client that does nothing. */
export const idleMemoryOfServer = idle("server memory per idle client", 3000, ([, server]) => server);

function idle(name: string, count: number, combine: (growth: readonly [number, number]) => number): Workload {
  return {
    name,
    unit: "KB",
    bursts: 1,
    serve: (socket) => void socket.resume(),

    async measure(bench) {
      await cycle(bench, 8);
      const before = await bench.holdings();
      const sockets: Duplex[] = [];
      while (sockets.length < count) {
        sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => bench.connect()))));
      }
      const after = await bench.holdings();
      for (const socket of sockets) socket.destroy();
      const growth = (role: Role): number => (after[role].rss - before[role].rss) / 1024 / count;
      return combine([growth("client"), growth("server")]);
    },
  };
}

/** Handles both processes hold after a thousand connections more than they held before. */
export const handlesLeft = leftBy1000("handles", "", ({ handles }) => handles);

/** Heap both processes hold for each of a thousand connections that are gone. */
export const heapLeft = leftBy1000("heap", "B", ({ heap }) => heap / CYCLES);

/**
 * Counts a thousand connections four times. The first lets caches and compiled code reach their size; of
 * the others the least counts, as a leak is in each of them and late compilation is not.
 */
function leftBy1000(name: string, unit: string, read: (holdings: Holdings) => number): Workload {
  return {
    name: `${name} left by 1,000 connections`,
    unit,
    bursts: 1,
    serve: (socket) => void socket.resume(),

    async measure(bench) {
      const levels: number[] = [];
      while (levels.length < 4) {
        await cycle(bench, CYCLES);
        const { client, server } = await bench.holdings();
        levels.push(read(client) + read(server));
      }
      return Math.min(...levels.slice(1).map((level, i) => level - levels[i]!));
    },
  };
}
