// A transport of your own, Unix domain sockets here: cheaper than tcp, so it wins where both would do.
// Run it in a clone of 1tp, on Linux or macOS: npx tsx -C 1tp-source examples/own-transport.ts
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import {
  type Channel,
  type DialContext,
  DuplexChannel,
  type Endpoint,
  type ListenContext,
  type Listener,
  net,
  OnetpError,
  type Transport,
  transports,
} from "1tp";

/** Sockets in one folder: an endpoint is `{ transportType: "unix", transportInfo: { path } }`. */
class UnixTransport implements Transport {
  readonly type = "unix";
  readonly traits = { cost: 5, relayed: false, signaled: false };
  readonly connectTimeout = 1000;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  accepts(endpoint: Endpoint): boolean {
    return endpoint?.transportType === this.type && this.#pathIn(endpoint) !== undefined;
  }

  async dial(endpoint: Endpoint, { signal, onPhase }: DialContext): Promise<Channel> {
    const path = this.#pathIn(endpoint);
    if (path === undefined) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { transport: this.type });
    onPhase("connect");
    signal.throwIfAborted();
    const socket = createConnection(path);
    try {
      await once(socket, "connect", { signal });
    } catch (error) {
      socket.destroy();
      throw signal.aborted ? signal.reason : error;
    }
    return new DuplexChannel(socket, endpoint);
  }

  async listen(context: ListenContext): Promise<Listener> {
    const wish = context.listeningInfo.map((entry) => this.#pathIn(entry)).find(Boolean);
    const path = wish ?? join(this.#folder, randomUUID());
    const endpoint = { transportType: this.type, transportInfo: { path } };
    const server = createServer((socket) => context.onChannel(new DuplexChannel(socket, endpoint)));
    try {
      await once(server.listen(path), "listening");
    } catch (error) {
      if (context.exclusive || !wish) throw error;
      return this.listen({ ...context, listeningInfo: [] });
    }
    return {
      endpoints: [endpoint],
      close: async () => void server.close(),
      ref: () => server.ref(),
      unref: () => server.unref(),
    };
  }

  /** Entries come from strangers, who must not lead us to other services of this machine. */
  #pathIn(endpoint: Endpoint): string | undefined {
    const path = endpoint?.transportInfo?.path;
    return typeof path === "string" && dirname(path) === this.#folder ? path : undefined;
  }
}

const folder = await mkdtemp(join(tmpdir(), "1tp-"));
const ours = [new transports.tcp(), new UnixTransport(folder)];
const server = net.createServer(ours, (socket) => socket.end(`hello over ${socket.transport}`));
try {
  const connectionInfo = await server.listenP();
  const near = net.createConnection(connectionInfo, ours);
  console.log("a client with tcp and unix:", await text(near));
  const far = net.createConnection(connectionInfo, [new transports.tcp()]);
  console.log("a client with tcp alone:", await text(far));
} catch (error) {
  console.error(`${error}`);
  process.exitCode = 1;
}
await server.closeP();
await rm(folder, { recursive: true });
