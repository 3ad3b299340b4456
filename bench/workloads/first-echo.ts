import { once } from "node:events";
import type { Workload } from "../contest.ts";

/** From the call of `connect` until it is done. */
export const opening: Workload = {
  name: "opening",
  unit: "ms",
  bursts: 8,
  serve() {},

  async measure(bench) {
    const started = performance.now();
    const socket = await bench.connect();
    const ms = performance.now() - started;
    socket.destroy();
    return ms;
  },
};

/** From the first call of `connect` to the first byte that came back. */
export const firstEcho: Workload = {
  name: "first echoed byte",
  unit: "ms",
  bursts: 4,

  serve(socket) {
    socket.on("data", (chunk) => socket.write(chunk));
  },

  async measure(bench) {
    const started = performance.now();
    const socket = await bench.connect();
    socket.write("x");
    await once(socket, "data");
    const ms = performance.now() - started;
    socket.destroy();
    return ms;
  },
};
