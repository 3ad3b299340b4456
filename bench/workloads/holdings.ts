import type { Duplex } from "node:stream";
import type { Bench, Holdings, Role, Workload } from "../contest.ts";
import { cycle } from "./connects.ts";

const CYCLES = 1000;

/**
 * Resident memory of both processes for one more connection that does nothing, when thousands are there: the first
 * ones make V8 set aside some tens of megabytes for what is young, once, however many there will be.
 */
export const idleMemory = idle("memory per idle connection", { before: 4000, count: 4000 }, (growth) =>
  growth.reduce((sum, side) => sum + side),
);

/** The same of the process that needs more of it, from the first one on. */
export const idleMemoryOfSide = idle(
  "memory per idle connection, larger side",
  { before: 0, count: 5000 },
  (growth) => Math.max(...growth),
);

/** The same of a server for one client that does nothing. */
export const idleMemoryOfServer = idle(
  "server memory per idle client",
  { before: 0, count: 3000 },
  ([, server]) => server,
);

/** How many connections are opened, and how many are there before that. */
interface Crowd {
  readonly before: number;
  readonly count: number;
}

function idle(
  name: string,
  { before, count }: Crowd,
  combine: (growth: readonly [client: number, server: number]) => number,
): Workload {
  return {
    name,
    unit: "KB",
    bursts: 1,
    serve: (socket) => void socket.resume(),

    async measure(bench) {
      await cycle(bench, 8);
      const crowd = await open(bench, before);
      const start = await bench.holdings();
      crowd.push(...(await open(bench, count)));
      const end = await bench.holdings();
      for (const socket of crowd) socket.destroy();
      const growth = (role: Role): number => (end[role].rss - start[role].rss) / 1024 / count;
      return combine([growth("client"), growth("server")]);
    },
  };
}

async function open(bench: Bench, count: number): Promise<Duplex[]> {
  const sockets: Duplex[] = [];
  while (sockets.length < count) {
    sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => bench.connect()))));
  }
  return sockets;
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
