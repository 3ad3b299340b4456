import { spawnSync } from "node:child_process";

/** Before the process id of its owner in the name of every namespace of a lab. */
const PREFIX = "1tp";

/** Root's PATH often lacks what Debian keeps in sbin. */
export const ENVIRONMENT: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${process.env.PATH}:/usr/local/sbin:/usr/sbin:/sbin`,
};

let labs = 0;

/** A name for everything of one lab of this process. */
export function labName(): string {
  return `${PREFIX}-${process.pid}-${labs++}`;
}

/**
 * Runs lines of shell to their end, whatever the terminal says meanwhile. Throws with what they printed at the
 * first that fails.
 */
export function runScript(lines: readonly string[]): void {
  // A session of its own: Ctrl-C reaches this process, which then cleans up.
  const { status, stderr } = spawnSync("setsid", ["--wait", "sh", "-e"], {
    input: lines.join("\n"),
    encoding: "utf8",
    env: ENVIRONMENT,
  });
  if (status !== 0) throw new Error(`the lab could not be built: ${stderr.trim()}`);
}

/** Ends what runs in the namespaces of a lab and takes them away. */
export function removeNamespaces(lab: string): void {
  remove(namespaces().filter((name) => name.startsWith(`${lab}-`)));
}

/** Takes away what was left behind by processes that were killed. */
export function removeLeftovers(): void {
  remove(
    namespaces().filter((name) => {
      const owner = /^1tp-(\d+)-/.exec(name)?.[1];
      return owner !== undefined && !alive(Number(owner));
    }),
  );
}

function namespaces(): string[] {
  const { stdout } = spawnSync("ip", ["netns", "list"], { encoding: "utf8", env: ENVIRONMENT });
  return stdout.split("\n").flatMap((line) => line.split(" ", 1));
}

function remove(names: readonly string[]): void {
  if (names.length === 0) return;
  runScript(names.flatMap((name) => [`ip netns pids ${name} | xargs -r kill -9`, `ip netns del ${name}`]));
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
