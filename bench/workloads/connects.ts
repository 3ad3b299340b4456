import { once } from "node:events";
import type { Bench, Workload } from "../contest.ts";

const BURST = 500;
const AT_A_TIME = 8;

/** Connect, end, wait for the close; eight at a time. */
export const connects: Workload = {
  name: "connects",
  unit: "/s",
  bursts: 4,

  serve(socket) {
    socket.resume();
  },

  async measure(bench) {
    const started = performance.now();
    await cycle(bench, BURST);
    return BURST / ((performance.now() - started) / 1000);
  },
};

/** Opens and closes so many connections, eight at a time. */
export async function cycle(bench: Bench, count: number): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const socket = await bench.connect();
      socket.resume().end();
      await once(socket, "close");
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}
