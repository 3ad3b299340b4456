import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
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

/** How a coturn differs from the usual. */
export interface CoturnSetup {
  /** Where it listens; default ADDRESSES. */
  readonly addresses?: readonly string[];
  /** Where relayed addresses are; default the first of ADDRESSES. */
  readonly relays?: readonly string[];
  /** PEM, for TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Default: free ones. */
  readonly ports?: readonly [number, number];
  /** How to start it elsewhere than on this machine. */
  readonly spawn?: (program: string, args: readonly string[], options: SpawnOptions) => ChildProcess;
}

/** A coturn of our own on loopback, without a configuration file. */
export class Coturn {
  readonly ports: readonly [number, number];
  readonly #process: ChildProcess;
  readonly #folder: string;
  #log = "";
  #waiting: (() => void)[] = [];

  private constructor(process: ChildProcess, folder: string, ports: readonly [number, number]) {
    this.#process = process;
    this.#folder = folder;
    this.ports = ports;
    for (const stream of [process.stdout!, process.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#log += text;
        this.#wake();
      });
    }
    process.on("exit", () => this.#wake());
  }

  /** Resolves when it listens on UDP and TCP on all of its addresses and ports. */
  static async start(options: readonly string[] = [], setup: CoturnSetup = {}): Promise<Coturn> {
    const { addresses = ADDRESSES, relays = [ADDRESSES[0]], tls, ports = await freePorts() } = setup;
    const folder = mkdtempSync(join(tmpdir(), "1tp-coturn-"));
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const files = ["--pidfile", join(folder, "pid"), "--userdb", join(folder, "db")];
    const where = [
      ...addresses.flatMap((address) => ["-L", address]),
      ...relays.flatMap((address) => ["--relay-ip", address]),
      ...["-p", `${ports[0]}`, "--alt-listening-port", `${ports[1]}`],
    ];
    const quiet = ["-n", "-v", "-m", "1", "--no-cli", "--no-dtls", "--log-file", "stdout", "--simple-log"];
    const secure = tls
      ? ["--cert", file("cert", tls.cert), "--pkey", file("key", tls.key), ...(await tlsPorts())]
      : ["--no-tls"];
    const start = setup.spawn ?? spawn;
    const child = start("turnserver", [...quiet, ...secure, ...files, ...where, ...options], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const coturn = new Coturn(child, folder, ports);
    // With one address there is nothing for RFC 5780 to alternate with.
    const listeners = 2 * addresses.length * (addresses.length > 1 ? 2 : 1);
    const opened = new RegExp(`(UDP|TCP) listener opened on ?: .*:(${ports.join("|")})\\b`, "g");
    await coturn.logs(({ length }) => length >= listeners, opened);
    return coturn;
  }

  /** Resolves when `enough` of its log matches, from where `since` says: what `logLength` was. */
  async logs(
    enough: (matches: readonly string[]) => boolean,
    pattern: RegExp,
    since = 0,
  ): Promise<readonly string[]> {
    for (;;) {
      const matches = this.#log.slice(since).match(pattern) ?? [];
      if (enough(matches)) return matches;
      if (this.#process.exitCode !== null) throw new Error(`turnserver ended: ${this.#log}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  get logLength(): number {
    return this.#log.length;
  }

  /** What it has logged. */
  get log(): string {
    return this.#log;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Ends at once, without a farewell to anybody. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, "exit");
    this.#process.kill(signal);
    await ended;
    rmSync(this.#folder, { recursive: true });
  }
}

/** TLS is spoken on the plain ports, too; these only have to be free. */
async function tlsPorts(): Promise<string[]> {
  const [first, second] = await freePorts();
  return ["--tls-listening-port", `${first}`, "--alt-tls-listening-port", `${second}`];
}

/** What a program of coturn's prints. */
export async function output(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
  await once(child, "close");
  return text;
}
