import type { Holdings } from "./contest.ts";
import { answer, assigned, holdings, start } from "./process.ts";

const { assignment, row } = await assigned();
process.on("disconnect", () => process.exit());

const server = start("server", assignment);
const address = await answer(server);
const figure = await row.workload.measure({
  connect: () => row[assignment.side].connect(address),
  holdings: async () => {
    server.send("holdings");
    const theirs = (await answer(server)) as Holdings;
    const own = await holdings();
    return {
      rss: own.rss + theirs.rss,
      heap: own.heap + theirs.heap,
      handles: own.handles + theirs.handles,
    };
  },
});
process.send?.(figure, () => process.exit());
