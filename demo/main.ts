/** `npm start [-- file]`: echoes a real file over every transport, between two processes where it can. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { createRegistrar } from "1tp/registrar";
import { type EchoResult, sendFile, serveEcho } from "./echo.ts";
import { type KernelNats, openKernelNats } from "./kernel-nats.ts";
import { type Row, rows } from "./rows.ts";
import { echoThroughSimulatedNats } from "./simulated-nats.ts";
import { startTurnServers } from "./turn-servers.ts";

/** Node's own program: a real file of many megabytes that is always there. */
const path = process.argv[2] ?? process.execPath;
const peer = fileURLToPath(new URL("./peer.ts", import.meta.url));
const TIME_LIMIT = 60_000;

interface Peer {
  readonly process: ChildProcess;
  /** Rejects unless the process exits with 0. */
  readonly done: Promise<void>;
}

/** Where the two processes of a row are. */
type Spawn = KernelNats["spawn"];

const spawnHere: Spawn = (_role, program, args, options) => spawn(program, args, options);

function start(spawnPeer: Spawn, role: string, ...args: readonly string[]): Peer {
  const child = spawnPeer(role, process.execPath, [...process.execArgv, peer, role, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
    timeout: TIME_LIMIT,
    env: { ...process.env, ONETP_REGISTRAR: registrar.url },
  });
  child.stdin!.on("error", () => undefined); // A child that died says so by its exit code.
  const done = once(child, "exit").then(([code]) => {
    if (code !== 0) throw new Error(`the ${role} exited with ${code ?? "a signal"}`);
  });
  return { process: child, done };
}

async function betweenProcesses(row: Row, spawnPeer = spawnHere): Promise<EchoResult> {
  const server = start(spawnPeer, "server", row.name);
  const failed = server.done.then(() => Promise.reject(new Error("the server exited early")));
  const [info] = await Promise.race([once(createInterface(server.process.stdout!), "line"), failed]);
  const client = start(spawnPeer, "client", row.name, path);
  client.process.stdin!.end(info);
  try {
    const output = text(client.process.stdout!);
    await client.done;
    return JSON.parse(await output) as EchoResult;
  } finally {
    server.process.stdin!.end();
    await server.done;
  }
}

async function inOneProcess(row: Row): Promise<EchoResult> {
  const { info, close } = await serveEcho(row);
  const result = await sendFile(row, info, path);
  await close();
  return result;
}

async function behindNats(row: Row): Promise<EchoResult> {
  const nats = await openKernelNats();
  if (!nats && row.behindNats === "simulated") return echoThroughSimulatedNats(path);
  if (!nats) return betweenProcesses(row);
  try {
    return await betweenProcesses(row, nats.spawn);
  } finally {
    await nats.close();
  }
}

function echoOf(row: Row): Promise<EchoResult> {
  if (row.behindNats) return behindNats(row);
  return row.oneProcess ? inOneProcess(row) : betweenProcesses(row);
}

const columns = [10, 34, 10, 9, 16, 29] as const;

function print(...cells: readonly string[]): void {
  console.log(
    cells
      .map((cell, i) => cell.padEnd(columns[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

async function run(row: Row): Promise<boolean> {
  const { variable, lacking } = row.needs ?? {};
  if (variable !== undefined && !process.env[variable]) {
    print(row.name, "-", "-", "-", "-", "-", `not run: needs ${lacking}`);
    return true;
  }
  try {
    const result = await echoOf(row);
    const connect = `${result.connectMs.toFixed(1)} ms`;
    const speed = `${result.megabytesPerSecond.toFixed(0)} MB/s`;
    const sum = result.received.slice(0, 16);
    const outcome = judge(result);
    print(row.name, result.endpoint, connect, speed, sum, result.fingerprint, outcome);
    return outcome === "ok";
  } catch (error) {
    print(row.name, "-", "-", "-", "-", "-", `FAILED: ${(error as Error).message}`);
    return false;
  }
}

function judge({ sent, received, bytes, fingerprint }: EchoResult): string {
  if (sent !== received || bytes === 0) return "CORRUPTED";
  return fingerprint ? "ok" : "NOT SECURE";
}

/** Where the rows meet that need signaling. */
const registrar = await createRegistrar({ host: "127.0.0.1" });
const turn = await startTurnServers();
Object.assign(process.env, { DEMO_TURN_UDP: `${turn.udp}`, DEMO_TURN_TCP: `${turn.tcp ?? ""}` });
console.log(`Echo of ${path}\n`);
print("transport", "endpoint", "connect", "echo", "SHA-256", "server's key", "outcome");
let good = true;
for (const row of rows) good = (await run(row)) && good;
turn.stop();
await registrar.close();
process.exitCode = good ? 0 : 1;
