import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { Address, Harness, ServerLike, ServerOptions, SocketLike, SocketOptions } from "./harness.ts";
import { Track, type WatchOptions } from "./track.ts";

/** One script: plays on a stage and leaves notes. */
export interface Scenario {
  /** A fact about `net`. */
  readonly name: string;
  readonly run: (stage: Stage) => Promise<void>;
}

/** What was noted, by track. The tracks are compared one by one: their interleaving is chance. */
export type Notes = Readonly<Record<string, readonly string[]>>;

/** How long one scenario may take; chosen, far above what any needs. */
const PATIENCE = 20_000;

/** Where one scenario plays: servers, sockets and tracks of one harness, all gone afterwards. */
export class Stage {
  readonly harness: Harness;
  readonly client: Track;
  readonly server: Track;
  /** The sockets the servers have accepted, in order. */
  readonly accepted: SocketLike[] = [];
  readonly #tracks = new Map<string, Track>();
  readonly #servers: ServerLike[] = [];
  readonly #sockets: SocketLike[] = [];
  readonly #arrivals = new EventEmitter();
  #swept = false;

  constructor(harness: Harness) {
    this.harness = harness;
    this.client = this.track("client");
    this.server = this.track("server");
  }

  /** A further track, for what comes in no fixed order with the rest. */
  track(name: string): Track {
    const track = this.#tracks.get(name) ?? new Track();
    this.#tracks.set(name, track);
    return track;
  }

  /** A server that is swept away in the end. Without `onConnection` the server's track watches. */
  createServer(
    options: ServerOptions = {},
    onConnection: (socket: SocketLike) => void = (socket) => this.server.watch(socket),
  ): ServerLike {
    const server = this.harness.createServer(options, (socket) => {
      this.accepted.push(socket);
      remember(socket);
      if (this.#swept) return void socket.on("error", () => {}).destroy();
      onConnection(socket);
      this.#arrivals.emit("arrival");
    });
    this.#servers.push(server);
    return server;
  }

  /** Makes a server, listens and gives its address. */
  async listen(options?: ServerOptions, onConnection?: (socket: SocketLike) => void): Promise<Address> {
    return this.open(this.createServer(options, onConnection));
  }

  /** Listens and gives the address. */
  async open(server: ServerLike): Promise<Address> {
    await once(this.harness.listen(server), "listening");
    return server.address();
  }

  /** Connects, with the client's track watching; `quiet` sockets are not watched. */
  connect(address: Address, options?: SocketOptions, onConnect?: () => void): SocketLike {
    const socket = this.quiet(address, options, onConnect);
    this.client.watch(socket);
    return socket;
  }

  /** Connects, and nothing is noted. */
  quiet(address: Address, options?: SocketOptions, onConnect?: () => void): SocketLike {
    return this.#keep(this.harness.createConnection(address, options, onConnect));
  }

  /** Watches reading and writing on a track each, where they go on at the same time. */
  watchApart(name: string, socket: SocketLike): void {
    this.track(name).watch(socket, { except: ["finish", "drain"] });
    this.track(`${name}, writing`).watch(socket, { except: ["ready", "data", "end"] });
  }

  /** A socket that is not connected, with the client's track watching. */
  socket(options?: SocketOptions, watching?: WatchOptions): SocketLike {
    const socket = this.#keep(this.harness.createSocket(options));
    this.client.watch(socket, watching);
    return socket;
  }

  #keep(socket: SocketLike): SocketLike {
    this.#sockets.push(socket);
    remember(socket);
    return socket;
  }

  /** An address where nobody listens. */
  async deserted(): Promise<Address> {
    const server = this.harness.createServer();
    const address = await this.open(server);
    await new Promise((resolve) => server.close(resolve));
    return address;
  }

  /** The n-th socket the servers accept, as soon as it is there. */
  async arrival(n = 1): Promise<SocketLike> {
    while (this.accepted.length < n) await once(this.#arrivals, "arrival");
    return this.accepted[n - 1]!;
  }

  /** Waits until the servers have accepted so many, and all sockets of both sides have closed. */
  async settled(accepted = 1): Promise<void> {
    if (accepted > 0) await this.arrival(accepted);
    await Promise.all([...this.#sockets, ...this.accepted].map(closed));
  }

  async sweep(): Promise<void> {
    this.#swept = true;
    const sockets = [...this.#sockets, ...this.accepted];
    for (const socket of sockets) socket.on("error", () => {}).destroy();
    for (const server of this.#servers) if (server.listening) server.close();
    await Promise.all(sockets.map(closed));
  }

  notes(): Notes {
    return Object.fromEntries([...this.#tracks].map(([name, track]) => [name, track.entries()]));
  }
}

const closedSockets = new WeakSet<SocketLike>();

/** Remembers whether a socket has emitted `close`: its flag `closed` is set before that. */
function remember(socket: SocketLike): void {
  socket.on("close", () => closedSockets.add(socket)).on("connect", () => closedSockets.delete(socket));
}

/** Resolves once a socket has emitted `close`. */
export async function closed(socket: SocketLike): Promise<void> {
  if (!closedSockets.has(socket)) await next(socket, "close");
}

/** Resolves at the next `event`, whatever errors come before. */
export function next(emitter: EventEmitter, event: string): Promise<unknown> {
  return new Promise((resolve) => emitter.once(event, resolve));
}

/** Plays one scenario on one harness. Rejects, with the notes so far, if it does not come to its end. */
export async function play(scenario: Scenario, harness: Harness): Promise<Notes> {
  const stage = new Stage(harness);
  const patience = new AbortController();
  const timeout = delay(PATIENCE, "late", { signal: patience.signal }).catch(() => "early");
  try {
    const winner = await Promise.race([scenario.run(stage), timeout]);
    if (winner === "late") throw new Error("does not come to its end");
    return stage.notes();
  } catch (cause) {
    const notes = JSON.stringify(stage.notes(), undefined, 2);
    throw new Error(`${scenario.name}, on ${harness.name}: ${cause}\nnoted so far: ${notes}`, { cause });
  } finally {
    patience.abort();
    await stage.sweep();
  }
}

/** A connection listener that does nothing, whatever happens to the socket. */
export function tolerate(socket: SocketLike): void {
  socket.on("error", () => {});
}
