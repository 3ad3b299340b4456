import type { Holdings } from "./contest.ts";
import { answer, ask, assigned, holdings, start } from "./process.ts";

const { assignment, row } = await assigned();
process.on("disconnect", () => process.exit());

const server = start("server", assignment);
const address = await answer(server);
const bench = {
  connect: () => row[assignment.side].connect(address),
  holdings: async () => {
    const theirs = (await ask(server)) as Holdings;
    const own = await holdings();
    return {
      rss: own.rss + theirs.rss,
      heap: own.heap + theirs.heap,
      handles: own.handles + theirs.handles,
    };
  },
};
if (row.workload.bursts > 1) await row.workload.measure(bench);
process.on("message", async () => process.send?.(await row.workload.measure(bench)));
process.send?.("ready");
