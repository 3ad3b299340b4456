import { execFileSync, execSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** A folder of a project that has installed 1tp as strangers do. */
export class Consumer {
  readonly folder = mkdtempSync(join(tmpdir(), "1tp-consumer-"));

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  /** Runs lines of a shell in the folder, where `1tp` among what npm is to install means this package, packed. */
  run(commands: string): void {
    const pack = ["pack", "--json", "--silent", "--pack-destination", this.folder];
    const [{ filename }] = JSON.parse(execFileSync("npm", pack, { encoding: "utf8" }));
    const lines = commands.replace(/(npm install.*) 1tp\b/g, `$1 ./${filename}`);
    const env = { ...process.env, npm_config_prefer_offline: "true" };
    execSync(`set -e\n${lines}`, { cwd: this.folder, env, stdio: ["ignore", "pipe", "pipe"] });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** A module of the packages that only these tests need. */
export async function bundler<Module>(file: string): Promise<Module> {
  return (await import(pathToFileURL(resolve("test/browser/packages/node_modules", file)).href)) as Module;
}
