import { once } from "node:events";
import type { Duplex } from "node:stream";
import type { Bench, Workload } from "../contest.ts";

const CHUNK = new Uint8Array(65536);
const BURST_MS = 400;

/** One connection, one way, chunks of 64 KB with back-pressure, until the server has read the last byte. */
export const throughput: Workload = {
  name: "throughput",
  unit: "MB/s",
  bursts: 4,

  serve(socket) {
    let bytes = 0;
    socket.on("data", (chunk: Uint8Array) => {
      bytes += chunk.length;
    });
    socket.on("end", () => socket.end(String(bytes)));
  },

  async measure(bench) {
    const started = performance.now();
    const bytes = await send(bench, BURST_MS);
    return bytes / 1000 / (performance.now() - started);
  },
};

/** Writes for so long; resolves with how many bytes the server says it has read. */
async function send(bench: Bench, ms: number): Promise<number> {
  const socket = await bench.connect();
  const answer = new Promise<string>((resolve) => socket.once("data", (data) => resolve(String(data))));
  await write(socket, performance.now() + ms);
  socket.end();
  const bytes = Number(await answer);
  await once(socket, "close");
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
