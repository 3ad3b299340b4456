import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { fileURLToPath } from "node:url";

/** Who may use them. */
export const TURN_USER = { turnUsername: "demo", turnPassword: "only for loopback" } as const;

/** The TURN servers of the demo, on loopback. */
export interface TurnServers {
  /** Port of node-turn, which speaks UDP. */
  readonly udp: number;
  /** Port of coturn, which speaks TCP, too; undefined where it is not installed. */
  readonly tcp: number | undefined;
  stop(): void;
}

/** Resolves when they listen. */
export async function startTurnServers(): Promise<TurnServers> {
  const { turnUsername: user, turnPassword: password } = TURN_USER;
  const [udp, tcp] = [await freePort(), await freePort()];
  const script = fileURLToPath(new URL("../test/kit/turn-process.ts", import.meta.url));
  const nodeTurn = spawn(process.execPath, [...process.execArgv, script, `${udp}`, user, password], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const local = [
    "-n",
    "-v",
    "--no-cli",
    "--no-tls",
    "--no-dtls",
    "-L",
    "127.0.0.1",
    "--relay-ip",
    "127.0.0.1",
  ];
  const files = ["--log-file", "stdout", "--pidfile", "/dev/null", "--userdb", ":memory:"];
  const who = ["-p", `${tcp}`, "--lt-cred-mech", "-u", `${user}:${password}`, "-r", "demo"];
  const coturn = spawn("turnserver", [...local, ...files, ...who, "--allow-loopback-peers"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [, installed] = await Promise.all([said(nodeTurn, /listening/), said(coturn, /TCP listener opened/)]);
  return {
    udp,
    tcp: installed ? tcp : undefined,
    stop() {
      nodeTurn.kill();
      coturn.kill("SIGKILL");
    },
  };
}

/** True once a process has said that; false if it ends before, or is not there. */
function said(child: ChildProcess, what: RegExp): Promise<boolean> {
  return new Promise((resolve) => {
    let output = "";
    child.on("error", () => resolve(false)).on("exit", () => resolve(false));
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (what.test(output)) resolve(true);
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
