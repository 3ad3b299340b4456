import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { createRegistrar } from "../../signaling/registrar/index.ts";
import { type ConnectionInfo, net, signaling, type Transport, transports } from "../../src/index.ts";
import type { Stack } from "../contest.ts";

const USER = { turnUsername: "bench", turnPassword: "only for loopback" } as const;
const security = "none";

interface Meeting {
  readonly info: ConnectionInfo;
  readonly turnPort: number;
}

/** uTP through an allocation on a coturn of this machine, unencrypted; the listener talks to it over `turnProtocol`. */
export function onetpTurn(turnProtocol: "udp" | "tcp"): Stack {
  let near: Transport | undefined;
  const transport = (turnPort: number, url: string): Transport =>
    new transports.turn({
      ...{ turnServer: "127.0.0.1", turnPort, turnProtocol },
      ...USER,
      signaling: new signaling.websocket({ url }),
    });
  return {
    name: `1tp turn-${turnProtocol}`,
    listen: async (onConnection): Promise<Meeting> => {
      const [turnPort, { url }] = [await startCoturn(), await createRegistrar({ host: "127.0.0.1" })];
      const server = net.createServer([transport(turnPort, url)], { security }, onConnection);
      return { info: await server.listenP(), turnPort };
    },
    connect: (address) => {
      const { info, turnPort } = address as Meeting;
      near ??= transport(turnPort, info[0]!.transportInfo.url as string);
      return new net.Socket([near], { security }).connectP(info);
    },
  };
}

/** Ends with this process. */
async function startCoturn(): Promise<number> {
  const port = await freePort();
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
  const who = ["--lt-cred-mech", "-u", `${USER.turnUsername}:${USER.turnPassword}`, "-r", "bench"];
  const child = spawn("turnserver", [...local, ...files, ...who, "-p", `${port}`, "--allow-loopback-peers"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  process.on("exit", () => child.kill("SIGKILL"));
  child.unref();
  const opened = (log: string): boolean => /UDP listener opened/.test(log) && /TCP listener opened/.test(log);
  return new Promise((resolve, reject) => {
    let output = "";
    // It has to be read to the end: a server that cannot write its log stands still.
    child.stdout.on("data", (text) => {
      if (opened(output)) return;
      output += text;
      if (opened(output)) resolve(port);
    });
    const missing = new Error("turnserver did not start: it is in the Debian package coturn");
    for (const event of ["error", "exit"]) child.once(event, () => reject(missing));
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
