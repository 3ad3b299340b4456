import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** What a suite wants from the machine beyond `npm ci`. */
export interface Needs {
  /** Programs its tests start, each with the Debian package it comes in. */
  readonly programs?: Readonly<Record<string, string>>;
  /** It changes the machine's network. */
  readonly root?: boolean;
  /** Its files share something (ports, a browser, `dist/`) and run one after another. */
  readonly serial?: boolean;
}

/**
 * The system packages of the project: the only list of them. `npm test` and `.ci/run` install what
 * the suites that exist need. A new suite needs a row only if it needs something.
 */
export const NEEDS: Readonly<Record<string, Needs>> = {
  natlab: { programs: { ip: "iproute2", nft: "nftables" }, root: true, serial: true },
  browser: { programs: { chromium: "chromium" }, serial: true },
  interop: { serial: true },
  package: { serial: true },
};

/** Where Debian keeps programs; root's PATH often lacks sbin. */
const FOLDERS = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];

/** Installs what is missing, if it may. Returns why the suite cannot run, or undefined when it can. */
export function provide(needs: Needs, install = installPackages): string | undefined {
  const root = process.getuid?.() === 0;
  if (needs.root && !root) return "needs root";
  const programs = Object.entries(needs.programs ?? {}).filter(([program]) => !installed(program));
  if (programs.length === 0) return undefined;
  const lacking = programs.map(([program, from]) => `${program} (Debian package ${from})`).join(", ");
  if (!root) return `needs ${lacking}, and only root may install it`;
  const fault = install([...new Set(programs.map(([, from]) => from))]);
  return fault && `needs ${lacking}: ${fault}`;
}

/** Whether a program can be started. */
export function installed(program: string): boolean {
  return FOLDERS.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Returns the fault, if any, in the words of apt-get. */
function installPackages(packages: readonly string[]): string | undefined {
  if (!installed("apt-get")) return "this system has no apt-get";
  console.log(`installing ${packages.join(" ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const command of [["update"], ["install", "--yes", "--no-install-recommends", ...packages]]) {
    const { status, stderr } = spawnSync("apt-get", ["--quiet", ...command], { env, encoding: "utf8" });
    if (status !== 0) return `apt-get ${command[0]} failed: ${stderr?.trim()}`;
  }
  return undefined;
}
