import type { Duplex } from "node:stream";
import type { Workload } from "../contest.ts";

const CONNECTIONS = 10_000;
const AT_A_TIME = 50;
const MESSAGE = new Uint8Array(100);
/** Chosen: many times what all answers together take. */
const PATIENCE_MS = 15_000;

/** Ten thousand connections that are open at once: how many get the answer to their message. */
export const answers: Workload = {
  name: "answers on 10,000 connections",
  unit: "",
  bursts: 1,

  serve(socket) {
    socket.on("data", (chunk) => socket.write(chunk));
  },

  async measure(bench) {
    const sockets: Duplex[] = [];
    while (sockets.length < CONNECTIONS) {
      const group = Array.from({ length: AT_A_TIME }, () => bench.connect());
      for (const { status, ...rest } of await Promise.allSettled(group)) {
        if (status === "rejected") return sockets.length;
        sockets.push((rest as PromiseFulfilledResult<Duplex>).value);
      }
    }
    const answered = await Promise.all(sockets.map(answer));
    for (const socket of sockets) socket.destroy();
    return answered.filter(Boolean).length;
  },
};

/** Whether the whole message comes back. */
function answer(socket: Duplex): Promise<boolean> {
  return new Promise((resolve) => {
    let waiting = MESSAGE.length;
    socket.on("data", (chunk: Uint8Array) => {
      waiting -= chunk.length;
      if (waiting <= 0) resolve(true);
    });
    socket.once("error", () => resolve(false));
    setTimeout(resolve, PATIENCE_MS, false);
    socket.write(MESSAGE);
  });
}
