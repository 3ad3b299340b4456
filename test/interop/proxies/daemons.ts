import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../stun/coturn.ts";

/** Who may use the HTTP proxy. */
const USER = "me:hush-hush";

/** The URL of the HTTP proxy with its user. */
export function withUser(url: string): string {
  return url.replace("//", `//${USER}@`);
}

/** An address that both proxies refuse to connect to. */
export const FORBIDDEN = "127.0.0.9";

/** A proxy of Debian's on loopback. */
export interface Daemon {
  /** Without credentials. */
  readonly url: string;
  /** Ends it, and what it has connected. */
  stop(): Promise<void>;
}

/** Dante's SOCKS5 server, open to anybody here. */
export async function startDante(): Promise<Daemon> {
  const [port] = await freePorts();
  const root = process.getuid?.() === 0;
  const lines = [
    "logoutput: stderr",
    `internal: 127.0.0.1 port = ${port}`,
    "external: lo",
    "clientmethod: none",
    "socksmethod: none",
    ...(root ? ["user.privileged: root", "user.unprivileged: nobody"] : []),
    "client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }",
    `socks block { from: 0.0.0.0/0 to: ${FORBIDDEN}/32 }`,
    "socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 protocol: tcp }",
  ];
  const folder = folderWith({ configuration: lines.join("\n") });
  const files = ["-f", join(folder, "configuration"), "-p", join(folder, "pid")];
  const stop = await start("danted", files, / running$/m, folder);
  return { url: `socks5://127.0.0.1:${port}`, stop };
}

/** Tinyproxy, which knows `USER`. */
export async function startTinyproxy(): Promise<Daemon> {
  const [port] = await freePorts();
  const folder = folderWith({ filter: `^${FORBIDDEN}$\n` });
  const lines = [
    `Port ${port}`,
    "Listen 127.0.0.1",
    "LogLevel Info",
    "MaxClients 200",
    "Allow 127.0.0.1",
    `BasicAuth ${USER.replace(":", " ")}`,
    `Filter "${join(folder, "filter")}"`,
  ];
  writeFileSync(join(folder, "configuration"), `${lines.join("\n")}\n`);
  const options = ["-d", "-c", join(folder, "configuration")];
  const stop = await start("tinyproxy", options, /Accepting connections/, folder);
  return { url: `http://127.0.0.1:${port}`, stop };
}

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "1tp-proxy-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** Resolves with what ends it, once it has said that it is ready. */
async function start(
  program: string,
  options: readonly string[],
  ready: RegExp,
  folder: string,
): Promise<() => Promise<void>> {
  // A group of its own, since children of dante's outlive it as long as they have connections.
  const daemon = spawn(program, options, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const kill = (): void => void process.kill(-daemon.pid!, "SIGKILL");
  process.once("exit", kill);
  // When the last of them lets go of the output: until then one of them may listen, and take what comes to nobody.
  const ended = once(daemon, "close");
  let log = "";
  await new Promise<void>((resolve, reject) => {
    for (const stream of [daemon.stdout, daemon.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        log += text;
        if (ready.test(log)) resolve();
      });
    }
    ended.then(() => reject(new Error(`${program} ended: ${log}`)), reject);
  });
  return async () => {
    process.off("exit", kill);
    kill();
    await ended;
    rmSync(folder, { recursive: true });
  };
}
