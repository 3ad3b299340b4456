import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The user that test servers know. */
export const TURN_USER = { username: "us", password: "secret" } as const;

/** A TURN server over UDP on loopback, in a process of its own: node-turn, which is always there. */
export class TurnProcess {
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#process = child;
    this.port = port;
  }

  /** Resolves when it listens. */
  static async start(): Promise<TurnProcess> {
    const port = await freeUdpPort();
    const script = fileURLToPath(new URL("./turn-process.ts", import.meta.url));
    const words = [`${port}`, TURN_USER.username, TURN_USER.password];
    const child = spawn(process.execPath, ["--import", "tsx", script, ...words], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.stdout.resume();
    return new TurnProcess(child, port);
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await ended;
  }
}

/** A UDP port that nobody uses now. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}
