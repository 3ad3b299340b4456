/**
 * `npm run bench`: 1tp against its peers, side by side. In every round each row gets fresh processes, a
 * client and a server for either side, which are measured in turn, so that a change in the machine's
 * load meets both.
 *
 *     npm run bench -- --only tcp      rows whose name holds the word
 *     npm run bench -- --rounds 9      default 3
 *     npm run bench -- --check         exit code 1 when a figure misses its target
 *     npm run bench -- --readme        put what was measured into the table of the README
 */
import { type ChildProcess, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { type Result, type Row, type RowsModule, resultOf, type Sample } from "./contest.ts";
import { answer, ask, start } from "./process.ts";
import { cells, linesIn, table, titleOf } from "./table.ts";

/** Chosen: many times what a measurement takes, so that only one that hangs meets it. */
const LIMIT_MS = 60_000;

/** In the folder `bench`; the compiled files are in `bench/build/bench`. */
const here = (path: string): URL => new URL(`../../${path}`, import.meta.url);
const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "3" },
    check: { type: "boolean", default: false },
    readme: { type: "boolean", default: false },
  },
});

installPeers();
const rows = await findRows(options.only);
const results = await measureAll(rows, Number(options.rounds));
console.log(table(results.map(cells)));
const machine = `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}`;
writeFileSync(here("results.json"), `${JSON.stringify({ machine, results }, null, 2)}\n`);
if (options.readme) await writeReadme(`Medians of ${options.rounds} interleaved rounds, ${machine}.`);
if (options.check && results.some(({ ok }) => !ok)) process.exitCode = 1;

/** Each row with the file that has it. */
interface Found {
  readonly file: string;
  readonly index: number;
  readonly row: Row;
}

function installPeers(): void {
  const { dependencies } = JSON.parse(readFileSync(here("package.json"), "utf8"));
  const missing = Object.keys(dependencies).filter((name) => !existsSync(here(`node_modules/${name}`)));
  if (missing.length === 0) return;
  console.error(`installing ${missing.join(", ")}`);
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: here(""),
    stdio: "inherit",
  });
  if (status !== 0) throw new Error("the peers cannot be installed: npm ci --prefix bench failed");
}

async function findRows(word: string): Promise<Found[]> {
  const found: Found[] = [];
  const folder = new URL("./rows/", import.meta.url);
  for (const name of readdirSync(folder).sort()) {
    const file = new URL(name, folder).href;
    const { rows }: RowsModule = await import(file);
    for (const [index, row] of rows.entries()) {
      if (row.figure.includes(word)) found.push({ file, index, row });
    }
  }
  if (found.length === 0) throw new Error(`no row has "${word}" in its name`);
  return found;
}

async function measureAll(found: readonly Found[], rounds: number): Promise<Result[]> {
  const samples = found.map((): Sample[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, one] of found.entries()) {
      console.error(`round ${round + 1}/${rounds}  ${one.row.figure}`);
      samples[i]!.push(...(await measureSides(one)));
    }
  }
  return found.map(({ row }, i) => resultOf(row, samples[i]!));
}

/** Both sides have their processes at the same time, and take turns in using them. */
async function measureSides({ file, index, row }: Found): Promise<Sample[]> {
  const { peer, workload } = row;
  const sides = peer ? (["ours", "peer"] as const) : (["ours"] as const);
  const clients = sides.map((side) => start("client", { file, index, side }));
  const end = (): void => {
    for (const client of clients) client.kill("SIGKILL");
  };
  const limit = setTimeout(end, LIMIT_MS);
  try {
    for (const client of clients) await answer(client);
    const samples: Sample[] = [];
    while (samples.length < workload.bursts) samples.push(await burst(clients));
    return samples;
  } finally {
    clearTimeout(limit);
    end();
  }
}

async function burst([ours, peer]: readonly ChildProcess[]): Promise<Sample> {
  const figure = (await ask(ours!, "figure")) as number;
  return peer ? { ours: figure, peer: (await ask(peer, "figure")) as number } : { ours: figure };
}

/** Replaces what stands between the two marks. Rows that were not measured keep their line. */
async function writeReadme(words: string): Promise<void> {
  const file = here("../README.md");
  const marked = /(<!-- bench -->)([\s\S]*?)(<!-- \/bench -->)/;
  const readme = readFileSync(file, "utf8");
  const [, open, old, close] = marked.exec(readme) ?? [];
  if (old === undefined) throw new Error("README.md has no <!-- bench --> and <!-- /bench --> lines");
  const known = linesIn(old);
  for (const line of results.map(cells)) known.set(line[0]!, line);
  const lines = (await findRows("")).flatMap(({ row }) => {
    const line = known.get(titleOf(row));
    return line ? [line] : [];
  });
  writeFileSync(
    file,
    readme.replace(marked, () => `${open}\n${table(lines)}\n\n${words}\n${close}`),
  );
}
