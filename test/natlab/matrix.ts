/**
 * `npm run test:natlab [-- --tries 20] [kind …]`: lets every pair of kinds of site meet, prints the matrix of the README and
 * fails if a pair that must connect did not. Half of the tries are dialled from each side.
 */
import { parseArgs } from "node:util";
import { NEEDS, provide } from "../run/needs.ts";
import { faultOf, type Goal, goalOf, wordsOf } from "./kit/goals.ts";
import { SITES, type SiteKind } from "./kit/sites.ts";
import { type Pair, Trial } from "./kit/trial.ts";
import type { Outcome, Word } from "./programs/peer.ts";

/** Kinds that are not tried against others: what they are about is two hosts of one site. */
const NEIGHBOURS = ["same-plain", "same-hairpin"] as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tries: { type: "string", default: "20" } },
});
const tries = Number(values.tries);
const kinds = (positionals.length > 0 ? positionals : Object.keys(SITES)) as SiteKind[];

const obstacle = provide(NEEDS.natlab ?? {});
if (obstacle) throw new Error(`the lab cannot be built: ${obstacle}`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

let bad = 0;
const cells = new Map<string, string>();
const trial = await Trial.open();
const apart = kinds.filter((kind) => !NEIGHBOURS.includes(kind as never));
for (const [index, one] of apart.entries()) {
  for (const other of apart.slice(0, index + 1)) {
    cells.set(
      `${one} ${other}`,
      await run(`${one} × ${other}`, await trial.pair(one, other), goalOf(one, other)),
    );
  }
}
const near = kinds.filter((kind) => NEIGHBOURS.includes(kind as never));
for (const kind of near) {
  cells.set(kind, await run(kind, await trial.neighbours(kind), goalOf("public", "public")));
}
await trial.close();

console.log(`\n| ${tries} tries each | ${apart.join(" | ")} |\n|---|${"---|".repeat(apart.length)}`);
for (const one of apart) {
  const row = apart.map((other) => cells.get(`${one} ${other}`) ?? "");
  console.log(`| ${one} | ${row.join(" | ")} |`);
}
for (const kind of near) console.log(`| ${kind} | ${cells.get(kind)} |`);
console.log(bad === 0 ? "\nAll pairs did what they must." : `\n${bad} pairs did not do what they must.`);
process.exitCode = bad === 0 ? 0 : 1;

async function run(name: string, pair: Pair, goal: Goal): Promise<string> {
  const outcomes: Outcome[] = [];
  // Where both can be, a relay may be faster than a guess: what must be direct is tried alone.
  const words: readonly Word[] =
    goal === "relayed" ? ["udp-punch", "turn-udp", "turn-tcp", "relay"] : ["udp-punch"];
  for (let i = 0; i < tries; i++) outcomes.push(await (i % 2 === 0 ? pair : pair.turned).meet(words));
  const fault = faultOf(goal, outcomes);
  const cell = wordsOf(outcomes);
  console.log(`${fault ? "FAILED" : "ok    "} ${name}: ${cell}${fault ? `; ${fault}` : ""}`);
  if (fault) bad++;
  return cell;
}
