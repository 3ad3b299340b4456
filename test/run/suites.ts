import { readdirSync } from "node:fs";
import { join } from "node:path";

/** A named part of the tests: a folder under `test/`, or one command that must succeed. */
export interface Suite {
  readonly name: string;
  readonly files: readonly string[];
  /** The npm script of a suite that is one command. */
  readonly script?: string;
}

/** Suites that are one command and count as one test. */
const SCRIPTS = ["lint", "types"];

/** Cheap and telling ones first; a folder that is not named here comes after. */
const ORDER = ["kit", "unit", "vectors", "conformance", "sim", "fuzz", "interop", "natlab", "browser"];

/**
 * The suites that the words ask for, all of them without words. A word is a suite (`unit`) or a path
 * under `test/` (`unit/base`). Files in a folder `slow` run only when their path is asked for. Throws
 * when a word asks for nothing that exists.
 */
export function selectSuites(words: readonly string[], root = "test"): Suite[] {
  const folders = testFiles(root);
  for (const word of words) {
    const known =
      SCRIPTS.includes(word) || folders.some(({ files }) => files.some((file) => asks(word, file, root)));
    if (!known) throw new Error(`no suite or test file is called ${word}; there are ${names(folders)}`);
  }
  const wanted = (file: string): boolean =>
    words.some((word) => asks(word, file, root) && (!isSlow(file) || word.includes("slow"))) ||
    (words.length === 0 && !isSlow(file));
  const scripts = SCRIPTS.filter((name) => words.length === 0 || words.includes(name));
  return [
    ...scripts.map((name) => ({ name, files: [], script: name })),
    ...folders
      .map(({ name, files }) => ({ name, files: files.filter(wanted) }))
      .filter(({ files }) => files.length > 0),
  ];
}

function asks(word: string, file: string, root: string): boolean {
  const path = join(root, word);
  return file === path || file.startsWith(`${path}/`) || file === `${path}.test.ts`;
}

function isSlow(file: string): boolean {
  return file.split("/").includes("slow");
}

function names(folders: readonly Suite[]): string {
  return [...SCRIPTS, ...folders.map(({ name }) => name)].join(", ");
}

function testFiles(root: string): Suite[] {
  const place = (name: string): number => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, files: testFilesUnder(join(root, name)) }))
    .filter(({ files }) => files.length > 0)
    .sort((a, b) => place(a.name) - place(b.name) || a.name.localeCompare(b.name));
}

function testFilesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts") && !file.includes("node_modules"))
    .map((file) => join(folder, file))
    .sort();
}
