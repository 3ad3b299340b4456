import type { Workload } from "../contest.ts";

/** As long as a sealed signal with a few candidates. */
const MESSAGE = "x".repeat(1000);

/** Chosen: enough to keep both processes busy. */
const UNDER_WAY = 64;
const BURST_MS = 400;

/** Messages of 1000 characters that come back a second, 64 being under way. */
export const messages: Workload = {
  name: "messages",
  unit: "/s",
  bursts: 4,

  serve() {},

  async measure(bench) {
    const socket = await bench.connect();
    const started = performance.now();
    const count = await new Promise<number>((resolve) => {
      let received = 0;
      socket.on("data", () => {
        received++;
        if (performance.now() - started < BURST_MS) socket.write(MESSAGE);
        else resolve(received);
      });
      for (let i = 0; i < UNDER_WAY; i++) socket.write(MESSAGE);
    });
    const seconds = (performance.now() - started) / 1000;
    socket.destroy();
    return count / seconds;
  },
};
