import { once } from "node:events";
import type { Duplex } from "node:stream";
import type { Bench, Workload } from "../contest.ts";

const CHUNK = new Uint8Array(65536);
/** Not all peers close one direction, so the last byte is the only one that is not 0. */
const LAST = Uint8Array.of(1);
const BURST_MS = 400;
const GIGABYTE = 1e9;

/** Counts; answers the last byte with the count. */
function serve(socket: Duplex): void {
  let bytes = 0;
  socket.on("data", (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (chunk.at(-1) === LAST[0]) socket.end(String(bytes));
  });
}

/** One connection, one way, chunks of 64 KB with back-pressure, until the server has read the last byte. */
export const throughput: Workload = {
  name: "throughput",
  unit: "MB/s",
  bursts: 4,
  serve,

  async measure(bench) {
    const started = performance.now();
    const bytes = await send(bench);
    return bytes / 1000 / (performance.now() - started);
  },
};

/** Processor time of both processes for the same. */
export const processorTime: Workload = {
  name: "processor time",
  unit: "s/GB",
  bursts: 4,
  serve,

  async measure(bench) {
    const before = await bench.cpu();
    const bytes = await send(bench);
    return ((await bench.cpu()) - before) / (bytes / GIGABYTE);
  },
};

/** Writes for so long; resolves with how many bytes the server says it has read. */
async function send(bench: Bench): Promise<number> {
  const socket = await bench.connect();
  const answer = once(socket, "data");
  await write(socket, performance.now() + BURST_MS);
  socket.write(LAST);
  const bytes = Number(await answer);
  socket.end();
  return bytes;
}

function write(socket: Duplex, until: number): Promise<void> {
  return new Promise((resolve) => {
    const pump = (): void => {
      while (performance.now() < until) {
        if (!socket.write(CHUNK)) {
          socket.once("drain", pump);
          return;
        }
      }
      resolve();
    };
    pump();
  });
}
