import { once } from "node:events";
import type { Workload } from "../contest.ts";
import { throughput } from "./throughput.ts";

/** The same from a page, which measures for itself. */
export const pageThroughput: Workload = {
  ...throughput,
  async measure(bench) {
    const socket = await bench.connect();
    const [figure] = await once(socket, "data");
    return Number(figure);
  },
};
