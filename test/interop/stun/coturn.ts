import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The two addresses a server needs for RFC 5780; the whole loopback network is ours. */
export const ADDRESSES = ["127.0.0.1", "127.0.0.2"] as const;

/** A port that nobody uses now, and the next one neither. */
export async function freePorts(): Promise<readonly [number, number]> {
  for (;;) {
    const first = await occupy(0);
    const { port } = first!.address() as AddressInfo;
    const second = await occupy(port + 1);
    for (const server of [first, second]) server?.close();
    if (second) return [port, port + 1];
  }
}

function occupy(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

/** A coturn of our own on loopback, without a configuration file. */
export class Coturn {
  readonly ports: readonly [number, number];
  readonly #process: ChildProcess;
  readonly #folder: string;
  #output = "";

  private constructor(process: ChildProcess, folder: string, ports: readonly [number, number]) {
    this.#process = process;
    this.#folder = folder;
    this.ports = ports;
  }

  /** Resolves when it listens on UDP and TCP on all of its addresses and ports. */
  static async start(options: readonly string[] = []): Promise<Coturn> {
    const ports = await freePorts();
    const folder = mkdtempSync(join(tmpdir(), "1tp-coturn-"));
    const files = [
      "--log-file",
      "stdout",
      "--simple-log",
      "--pidfile",
      join(folder, "pid"),
      "--userdb",
      join(folder, "db"),
    ];
    const listening = ADDRESSES.flatMap((address) => ["-L", address]);
    const where = [
      ...listening,
      "-p",
      `${ports[0]}`,
      "--alt-listening-port",
      `${ports[1]}`,
      "--relay-ip",
      "127.0.0.1",
    ];
    const quiet = ["-n", "-v", "-m", "1", "--no-cli", "--no-tls", "--no-dtls"];
    const child = spawn("turnserver", [...quiet, ...files, ...where, ...options], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const coturn = new Coturn(child, folder, ports);
    await coturn.#listens();
    return coturn;
  }

  async #listens(): Promise<void> {
    const { stdout } = this.#process;
    for await (const chunk of stdout!.iterator({ destroyOnReturn: false })) {
      this.#output += chunk;
      const opened = this.#output.match(/(UDP|TCP) listener opened on ?: 127\./g);
      if (opened?.length === 2 * ADDRESSES.length * 2) {
        stdout!.resume();
        return;
      }
    }
    throw new Error(`turnserver ended: ${this.#output}`);
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.kill();
    await ended;
    rmSync(this.#folder, { recursive: true });
  }
}

/** What a program of coturn's prints. */
export async function output(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
  await once(child, "close");
  return text;
}
