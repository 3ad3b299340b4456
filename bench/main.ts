/**
 * `npm run bench`: 1tp against its peers, side by side. Each measurement is a pair of fresh processes,
 * and each round measures both sides of every row, so that a change in the machine's load meets both.
 *
 *     npm run bench -- --only tcp      rows whose name holds the word
 *     npm run bench -- --rounds 9      default 5
 *     npm run bench -- --check         exit code 1 when a figure misses its target
 *     npm run bench -- --readme        put the table into the README
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { type Result, type Row, type RowsModule, resultOf, type Sample } from "./contest.ts";
import { type Assignment, answer, start } from "./process.ts";
import { table } from "./table.ts";

/** Chosen: many times what a measurement takes, so that only one that hangs meets it. */
const LIMIT_MS = 60_000;

const here = (path: string): URL => new URL(path, import.meta.url);
const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "5" },
    check: { type: "boolean", default: false },
    readme: { type: "boolean", default: false },
  },
});

installPeers();
const rows = await findRows(options.only);
const results = await measureAll(rows, Number(options.rounds));
const report = table(results);
console.log(report);
const machine = `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}`;
writeFileSync(here("./results.json"), `${JSON.stringify({ machine, results }, null, 2)}\n`);
if (options.readme) writeReadme(`${report}\n\nMedians of ${options.rounds} interleaved rounds, ${machine}.`);
if (options.check && results.some(({ ok }) => !ok)) process.exitCode = 1;

/** Each row with the file that has it. */
interface Found {
  readonly file: string;
  readonly row: Row;
}

function installPeers(): void {
  const { dependencies } = JSON.parse(readFileSync(here("./package.json"), "utf8"));
  const missing = Object.keys(dependencies).filter((name) => !existsSync(here(`./node_modules/${name}`)));
  if (missing.length === 0) return;
  console.error(`installing ${missing.join(", ")}`);
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: here("."),
    stdio: "inherit",
  });
  if (status !== 0) throw new Error("the peers cannot be installed: npm ci --prefix bench failed");
}

async function findRows(word: string): Promise<Found[]> {
  const found: Found[] = [];
  for (const name of readdirSync(here("./rows")).sort()) {
    const file = here(`./rows/${name}`).href;
    const { rows }: RowsModule = await import(file);
    for (const row of rows) if (row.figure.includes(word)) found.push({ file, row });
  }
  if (found.length === 0) throw new Error(`no row has "${word}" in its name`);
  return found;
}

async function measureAll(found: readonly Found[], rounds: number): Promise<Result[]> {
  const samples = found.map((): Sample[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { file, row }] of found.entries()) {
      console.error(`round ${round + 1}/${rounds}  ${row.figure}`);
      samples[i]!.push(await measureBoth({ file, figure: row.figure }, round % 2 === 0));
    }
  }
  return found.map(({ row }, i) => resultOf(row, samples[i]!));
}

/** Who goes first changes with the round. */
async function measureBoth(of: Omit<Assignment, "side">, oursFirst: boolean): Promise<Sample> {
  const first = await measure({ ...of, side: oursFirst ? "ours" : "peer" });
  const second = await measure({ ...of, side: oursFirst ? "peer" : "ours" });
  return oursFirst ? { ours: first, peer: second } : { ours: second, peer: first };
}

async function measure(assignment: Assignment): Promise<number> {
  const client = start("client", assignment);
  const limit = setTimeout(() => client.kill("SIGKILL"), LIMIT_MS);
  try {
    return (await answer(client)) as number;
  } finally {
    clearTimeout(limit);
    client.kill("SIGKILL");
  }
}

/** Replaces what stands between the two marks. */
function writeReadme(text: string): void {
  const file = here("../README.md");
  const marked = /(<!-- bench -->\n)[\s\S]*?(\n<!-- \/bench -->)/;
  const readme = readFileSync(file, "utf8");
  if (!marked.test(readme)) throw new Error("README.md has no <!-- bench --> and <!-- /bench --> lines");
  writeFileSync(
    file,
    readme.replace(marked, (_, open, close) => `${open}${text}${close}`),
  );
}
