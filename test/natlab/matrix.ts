/**
 * `npm run test:natlab [-- --tries 20] [kind …]`: lets every pair of kinds of site meet, prints the matrix of the README and
 * fails if a pair did not do what it must. Half of the tries are dialled from each side.
 */
import { parseArgs } from "node:util";
import { NEEDS, provide } from "../run/needs.ts";
import { CLASSES, faultOf, type Goal, goalOf, summaryOf } from "./kit/goals.ts";
import type { SiteKind } from "./kit/sites.ts";
import { type Pair, Trial } from "./kit/trial.ts";
import type { Outcome, Word } from "./programs/peer.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tries: { type: "string", default: "20" } },
});
const tries = Number(values.tries);
const chosen = (kind: SiteKind): boolean => positionals.length === 0 || positionals.includes(kind);

const obstacle = provide(NEEDS.natlab ?? {});
if (obstacle) throw new Error(`the lab cannot be built: ${obstacle}`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

let faults = 0;
const trial = await Trial.open();

/** What can go through a relay has every way; a server keeps its allocations from try to try. */
const ALL: readonly Word[] = ["udp-punch", "tcp-punch", "turn-udp", "turn-tcp", "relay"];
/** All that is direct. */
const PUNCHES: readonly Word[] = ["udp-punch", "tcp-punch"];

async function run(name: string, pair: Pair, goal: Goal): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const side of [pair, pair.turned]) {
    const info = goal === "relayed" ? await side.other.peer.listen(ALL) : undefined;
    // Where both can be, a relay may be faster than a guess: what must be direct is tried alone.
    const words: readonly Word[] = info ? ALL : goal === "tcp" ? PUNCHES : ["udp-punch"];
    for (let i = 0; i < tries / 2; i++) outcomes.push(await side.meet(words, info));
  }
  const fault = faultOf(goal, outcomes);
  if (fault) faults++;
  console.log(`${fault ? "FAILED" : "ok    "} ${name}: ${summaryOf(outcomes)}${fault ? `; ${fault}` : ""}`);
  return outcomes;
}

/** All that one class of sites comes to with another. */
async function meetings(one: readonly SiteKind[], other: readonly SiteKind[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const a of one.filter(chosen)) {
    for (const b of other.filter(chosen)) {
      // Within a class each pair is met once.
      if (one === other && one.indexOf(b) > one.indexOf(a)) continue;
      outcomes.push(...(await run(`${a} × ${b}`, await trial.pair(a, b), goalOf(a, b))));
    }
  }
  return outcomes;
}

const classes = Object.entries(CLASSES).filter(([, kinds]) => kinds.some(chosen));
const rows: string[] = [];
for (const [row, [name, kinds]] of classes.entries()) {
  const cells: string[] = [];
  for (const [, others] of classes.slice(0, row + 1)) cells.push(summaryOf(await meetings(kinds, others)));
  rows.push(`| ${name} | ${cells.join(" | ")} |`);
}
for (const kind of ["same-plain", "same-hairpin"] as const) {
  if (chosen(kind)) await run(kind, await trial.neighbours(kind), "direct");
}
await trial.close();

console.log(`\n| | ${classes.map(([name]) => name).join(" | ")} |\n|---${"|---".repeat(classes.length)}|`);
for (const row of rows) console.log(row);
console.log(`\n${tries} tries of every pair of kinds; ${faults} pairs did not do what they must.`);
process.exitCode = faults === 0 ? 0 : 1;
