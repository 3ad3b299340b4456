import { spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** What a suite wants from the machine beyond `npm ci`. */
export interface Needs {
  /** Programs its tests start, each with the Debian package it comes in. */
  readonly programs?: Readonly<Record<string, string>>;
  /** Modules of the system's Python its tests use, each with the Debian package it comes in. */
  readonly modules?: Readonly<Record<string, string>>;
  /** A folder with a `package.json` and a lock of its own, whose packages are no dependencies of the project. */
  readonly folder?: string;
  /** It changes the machine's network. */
  readonly root?: boolean;
  /** A line of shell that has to succeed, and what it means if it does not. */
  readonly able?: { readonly to: string; readonly obstacle: string };
  /** Its files share something (ports, a browser, `dist/`) and run one after another. */
  readonly serial?: boolean;
}

/**
 * The system packages of the project: the only list of them. `npm test` and `.ci/run` install what
 * the suites that exist need. A new suite needs a row only if it needs something.
 */
export const NEEDS: Readonly<Record<string, Needs>> = {
  natlab: {
    programs: {
      ip: "iproute2",
      nft: "nftables",
      conntrack: "conntrack",
      miniupnpd: "miniupnpd-nftables",
      turnserver: "coturn",
    },
    modules: { fcntl: "python3" },
    root: true,
    able: {
      to: "unshare --net sh -c 'ip tuntap add dev probe mode tun && nft add table inet probe'",
      obstacle: "needs network namespaces, /dev/net/tun and nftables, which this machine does not allow",
    },
    serial: true,
  },
  browser: { programs: { chromium: "chromium" }, folder: "test/browser/packages", serial: true },
  interop: {
    programs: {
      turnserver: "coturn",
      turnutils_stunclient: "coturn",
      turnutils_natdiscovery: "coturn",
      danted: "dante-server",
      tinyproxy: "tinyproxy",
    },
    modules: { libtorrent: "python3-libtorrent" },
    folder: "test/interop",
    serial: true,
  },
  package: { serial: true },
};

/** Where Debian keeps programs; root's PATH often lacks sbin. */
const FOLDERS = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];

/** The Python that Debian's modules are built for; another may come first in the PATH. */
const PYTHON = "/usr/bin/python3";

/** Installs what is missing, if it may. Returns why the suite cannot run, or undefined when it can. */
export function provide(needs: Needs, install = installPackages): string | undefined {
  const root = process.getuid?.() === 0;
  if (needs.root && !root) return "needs root";
  const missing = [
    ...Object.entries(needs.programs ?? {}).filter(([program]) => !installed(program)),
    ...Object.entries(needs.modules ?? {}).filter(([module]) => !importable(module)),
  ];
  if (missing.length === 0) return settle(needs);
  const lacking = missing.map(([name, from]) => `${name} (Debian package ${from})`).join(", ");
  if (!root) return `needs ${lacking}, and only root may install it`;
  const fault = install([...new Set(missing.map(([, from]) => from))]);
  return fault ? `needs ${lacking}: ${fault}` : settle(needs);
}

/** What is left when all is installed that comes from Debian. */
function settle(needs: Needs): string | undefined {
  return obstacleTo(needs) ?? (needs.folder && installFolder(needs.folder));
}

/** Why the machine does not allow what has to be done, if it does not. */
export function obstacleTo({ able }: Needs): string | undefined {
  if (!able) return undefined;
  const env = { ...process.env, PATH: FOLDERS.join(delimiter) };
  return spawnSync("sh", ["-c", able.to], { env }).status === 0 ? undefined : able.obstacle;
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

function importable(module: string): boolean {
  return spawnSync(PYTHON, ["-c", `import ${module}`]).status === 0;
}

/** Installs the packages of a folder unless they are as its lock says. Returns the fault, if any. */
function installFolder(folder: string): string | undefined {
  const changed = (file: string): number =>
    statSync(join(folder, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (changed("node_modules/.package-lock.json") >= changed("package-lock.json")) return undefined;
  console.log(`installing the packages of ${folder}`);
  const { status, stderr } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: folder,
    encoding: "utf8",
  });
  return status === 0 ? undefined : `needs the packages of ${folder}: npm ci failed: ${stderr?.trim()}`;
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
