import type { Bench, Holdings } from "./contest.ts";
import { answer, ask, assigned, cpu, holdings, start } from "./process.ts";

/** Chosen: by then compiled code carries what is measured over and over, on a busy machine too. */
const WARM_UP_MS = 1500;

const { assignment, row } = await assigned();
const stack = row[assignment.side];
if (!stack) throw new Error(`${row.figure} has no peer`);
process.on("disconnect", () => process.exit());

const server = start("server", assignment);
const address = await answer(server);
const bench: Bench = {
  connect: () => stack.connect(address),
  holdings: async () => {
    const theirs = (await ask(server, "holdings")) as Holdings;
    return { server: theirs, client: await holdings() };
  },
  cpu: async () => cpu() + ((await ask(server, "cpu")) as number),
};
for (const until = performance.now() + WARM_UP_MS; row.workload.bursts > 1 && performance.now() < until; ) {
  await row.workload.measure(bench);
}
process.on("message", async () => process.send?.(await row.workload.measure(bench)));
process.send?.("ready");
