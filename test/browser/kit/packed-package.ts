import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** A folder of a project that has installed 1tp as strangers do. */
export interface Consumer {
  readonly folder: string;
  write(file: string, text: string): void;
  remove(): void;
}

/** Packs this package and installs it in a new folder. */
export function installPacked(): Consumer {
  const folder = mkdtempSync(join(tmpdir(), "1tp-consumer-"));
  const [packed] = JSON.parse(run("npm", ["pack", "--json", "--silent", "--pack-destination", folder], "."));
  const write = (file: string, text: string): void => writeFileSync(join(folder, file), text);
  write("package.json", JSON.stringify({ name: "consumer", private: true }));
  run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", packed.filename], folder);
  return { folder, write, remove: () => rmSync(folder, { recursive: true }) };
}

/** A module of the packages that only these tests need. */
export async function bundler<Module>(file: string): Promise<Module> {
  return (await import(pathToFileURL(resolve("test/browser/packages/node_modules", file)).href)) as Module;
}

function run(program: string, args: readonly string[], cwd: string): string {
  return execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
