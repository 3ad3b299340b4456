import type { Duplex } from "node:stream";
import type { Workload } from "../contest.ts";

const MESSAGE = new Uint8Array(100);
const BURST_MS = 300;

/** 100 bytes there and back on one connection, each after the answer to the one before. */
export const roundTrips: Workload = {
  name: "round trips",
  unit: "/s",
  bursts: 4,

  serve(socket) {
    socket.on("data", (chunk) => socket.write(chunk));
  },

  async measure(bench) {
    const socket = await bench.connect();
    const started = performance.now();
    const trips = await pingPong(socket, BURST_MS);
    const seconds = (performance.now() - started) / 1000;
    socket.destroy();
    return trips / seconds;
  },
};

function pingPong(socket: Duplex, ms: number): Promise<number> {
  return new Promise((resolve) => {
    const until = performance.now() + ms;
    let trips = 0;
    let waiting = MESSAGE.length;
    const onData = (chunk: Uint8Array): void => {
      waiting -= chunk.length;
      if (waiting > 0) return;
      trips += 1;
      if (performance.now() >= until) {
        socket.off("data", onData);
        resolve(trips);
        return;
      }
      waiting = MESSAGE.length;
      socket.write(MESSAGE);
    };
    socket.on("data", onData);
    socket.write(MESSAGE);
  });
}
