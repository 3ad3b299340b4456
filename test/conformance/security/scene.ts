import { EventEmitter, once } from "node:events";
import type { TestContext } from "node:test";
import {
  type ConnectionInfo,
  createConnection,
  createServer,
  type Endpoint,
  type Server,
  type ServerOptions,
  type Socket,
  type SocketOptions,
  type Transport,
} from "1tp";
import { ChannelProbe } from "../channel-probe.ts";
import type { Place, Wire } from "./wires.ts";
import { Witness } from "./witness.ts";

/** A server that listens, with all it has accepted. */
export interface Stand {
  readonly server: Server;
  readonly info: ConnectionInfo;
  /** One for every `connection` event. */
  readonly visitors: readonly Witness[];
  /** Resolves with the n-th visitor. */
  visitor(n?: number): Promise<Witness>;
}

/** One wire in one place, where everything is taken down after the test. */
export class Scene<P extends Place = Place> {
  readonly wire: Wire;
  readonly place: P;
  readonly #test: TestContext;

  constructor(test: TestContext, wire: Wire, place: P) {
    this.#test = test;
    this.wire = wire;
    this.place = place;
  }

  /** To be done when the test is over. */
  after(task: () => void | Promise<void>): void {
    this.#test.after(task);
  }

  /** A server that echoes, or does what `serve` says. */
  async serve(options: ServerOptions = {}, serve: (socket: Socket) => void = echo): Promise<Stand> {
    const { server: runtime, listeningInfo } = this.place;
    const visitors: Witness[] = [];
    const arrivals = new EventEmitter();
    const given = { runtime, allowHalfOpen: true, ...options };
    const server = createServer([this.wire.create()], given, (socket) => {
      visitors.push(new Witness(socket));
      serve(socket);
      arrivals.emit("arrival");
    });
    const info = await server.listenP(listeningInfo);
    this.after(() => {
      server.close();
      for (const { socket } of visitors) socket.destroy();
    });
    const visitor = async (n = 1): Promise<Witness> => {
      while (visitors.length < n) await once(arrivals, "arrival");
      return visitors[n - 1]!;
    };
    return { server, info, visitors, visitor };
  }

  /** A client's socket that dials. */
  dial(
    info: ConnectionInfo,
    options: SocketOptions = {},
    transports: readonly Transport[] = [this.wire.create()],
  ): Witness {
    const given = { runtime: this.place.client, ...options };
    const witness = new Witness(createConnection(info, transports, given));
    this.after(() => void witness.socket.destroy());
    return witness;
  }

  /** A channel of the bare transport. */
  async open(endpoint: Endpoint): Promise<ChannelProbe> {
    const { signal } = new AbortController();
    const context = { runtime: this.place.client, signal, onPhase() {} };
    const channel = await this.wire.create().dial(endpoint, context);
    this.after(() => channel.abort());
    return new ChannelProbe(channel).attach();
  }
}

function echo(socket: Socket): void {
  socket.pipe(socket);
}

/** The entries as a meddler hands them on who takes their keys away. */
export function withoutKeys(info: ConnectionInfo): ConnectionInfo {
  return info.map(({ publicKey: _, ...entry }) => entry);
}

/** How many connections a server says it has. */
export function connections(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
}
