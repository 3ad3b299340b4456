import { getEventListeners, once } from "node:events";
import {
  type ConnectionInfo,
  createConnection,
  createServer,
  type Socket,
  type SocketOptions,
  signaling,
  type Transport,
  transports,
} from "1tp";
import { assertNothingLeft } from "../../kit/leaks.ts";
import { MODEL_USER } from "../../kit/turn-model.ts";
import { machineWithTurn } from "../security/places.ts";

/** The cycles whose every handle and timer is followed, which is slow; chosen. */
const WATCHED_CYCLES = 20;
/** Connections at a time: as many as a busy client has, and few enough for every table of the system. */
const AT_ONCE = 10;

/** What one run of cycles has left behind. */
export interface Remains {
  /** Sockets that the garbage collector may not take. */
  readonly sockets: number;
  /** Growth of the heap in bytes in the round in which it grew least. */
  readonly heap: number;
  /** Listeners on the AbortSignal that all shared. */
  readonly listeners: number;
  /** Warnings of Node, such as too many listeners. */
  readonly warnings: number;
}

/** One connection from the first call to `close`. */
type Cycle = (site: Site) => Promise<void>;

interface Site {
  readonly address: ConnectionInfo;
  readonly deserted: ConnectionInfo;
  connect(address: ConnectionInfo, options?: SocketOptions): Socket;
}

const CYCLES_BY_NAME: Readonly<Record<string, Cycle>> = {
  async "echo and end"({ address, connect }) {
    const socket = connect(address);
    socket.end("hello").resume();
    await closed(socket);
  },
  async "destroy long before the idle timeout"({ address, connect }) {
    const socket = connect(address, { timeout: 60_000 });
    await once(socket, "connect");
    socket.destroy();
    await closed(socket);
  },
  async "destroy while connecting"({ address, connect }) {
    const socket = connect(address);
    socket.destroy();
    await closed(socket);
  },
  async "abort while connecting"({ address, connect }) {
    const controller = new AbortController();
    const socket = connect(address, { signal: controller.signal });
    controller.abort();
    await closed(socket);
  },
  async refused({ deserted, connect }) {
    await closed(connect(deserted));
  },
  async "two addresses at once, one refused"({ address, deserted, connect }) {
    const socket = connect([...deserted, ...address], { scheduler: "parallel" });
    socket.end("hello").resume();
    await closed(socket);
  },
  async "idle timeout"({ address, connect }) {
    const socket = connect(address, { timeout: 1 });
    socket.on("timeout", () => socket.destroy());
    await closed(socket);
  },
};

/** The kinds of cycle there are. */
export const CYCLE_NAMES = Object.keys(CYCLES_BY_NAME);

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on("error", () => {}).once("close", () => resolve()));
}

/** Collects garbage until nothing more is given back. */
async function settle(): Promise<number> {
  let used = Number.POSITIVE_INFINITY;
  for (;;) {
    await new Promise(setImmediate);
    globalThis.gc?.();
    const { heapUsed } = process.memoryUsage();
    if (heapUsed > used - 4096) return Math.min(used, heapUsed);
    used = heapUsed;
  }
}

const meeting = { signaling: new signaling.local() };

async function create(word: string): Promise<Transport> {
  if (word === "relay" || word === "udp-punch" || word === "tcp-punch") return new transports[word](meeting);
  if (word !== "turn") return new transports[word as "memory" | "tcp" | "udp" | "websocket"]();
  const { address, port } = (await machineWithTurn()).turn!;
  const { username, password } = MODEL_USER;
  const server = { turnServer: address, turnPort: port, turnUsername: username, turnPassword: password };
  return new transports.turn({ ...meeting, ...server });
}

async function listen(transport: Transport) {
  const server = createServer([transport], (socket) => {
    socket.on("error", () => {}).pipe(socket);
  });
  const transportInfo = transport.type === "memory" ? {} : { address: "127.0.0.1" };
  await server.listenP([{ transportType: transport.type, transportInfo }]);
  return server;
}

async function repeat(times: number, body: () => Promise<void>): Promise<void> {
  let left = times;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await body();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** How often: a leak grows in every round; caches and compiled code do not. The first round is not counted. */
interface Length {
  readonly cycles: number;
  readonly rounds: number;
}

async function run(transport: Transport, cycle: Cycle, { cycles, rounds }: Length): Promise<Remains> {
  let warnings = 0;
  process.on("warning", () => warnings++);
  const { signal } = new AbortController();
  const refs: WeakRef<Socket>[] = [];
  const connect = (address: ConnectionInfo, options: SocketOptions = {}): Socket => {
    const socket = createConnection(address, [transport], { signal, ...options });
    refs.push(new WeakRef(socket));
    return socket;
  };
  const server = await listen(transport);
  const site = { address: server.address()!, deserted: await desert(transport), connect };
  const round = async (): Promise<number> => {
    refs.length = 0;
    await repeat(cycles, () => cycle(site));
    await idle(server);
    return settle();
  };
  let used = await round();
  let heap = Number.POSITIVE_INFINITY;
  for (let i = 1; i < rounds; i++) {
    const before = used;
    used = await round();
    heap = Math.min(heap, used - before);
  }
  const sockets = refs.filter((ref) => ref.deref()).length;
  await server.closeP();
  await assertNothingLeft(async () => {
    const watched = await listen(transport);
    await repeat(WATCHED_CYCLES, () => cycle({ ...site, address: watched.address()! }));
    await watched.closeP();
  });
  return { sockets, heap, listeners: getEventListeners(signal, "abort").length, warnings };
}

/** Where nobody listens any more. */
async function desert(transport: Transport): Promise<ConnectionInfo> {
  const server = await listen(transport);
  const address = server.address()!;
  await server.closeP();
  return address;
}

/** Waits until the server's side of every connection is gone as well. */
async function idle(server: ReturnType<typeof createServer>): Promise<void> {
  for (;;) {
    const count = await new Promise<number>((resolve) => server.getConnections((_error, n) => resolve(n)));
    await new Promise(setImmediate);
    if (count === 0) return;
  }
}

/** `program.ts <word> <cycles> <rounds> <name>…`: prints what each kind of cycle has left behind. */
if (process.argv[1]?.endsWith("program.ts")) {
  const [, , word = "", cycles, rounds, ...names] = process.argv;
  // Idle timers keep no process, and memory has no system resource that would.
  const awake = setInterval(() => {}, 0x7fffffff);
  const transport = await create(word);
  const all: Remains[] = [];
  for (const name of names) {
    const length = { cycles: Number(cycles), rounds: Number(rounds) };
    all.push(await run(transport, CYCLES_BY_NAME[name]!, length));
  }
  clearInterval(awake);
  console.log(JSON.stringify(all));
}
