import { EventEmitter, once } from "node:events";
import type { TestContext } from "node:test";
import {
  type ConnectionInfo,
  createConnection,
  createIdentity,
  createServer,
  type Endpoint,
  type Server,
  type ServerOptions,
  type Socket,
  type SocketOptions,
  type Transport,
} from "1tp";
import type { DialContext } from "../../../src/contract/transport.ts";
import { type DialogTarget, openDialog } from "../../../src/net/outgoing-dialog.ts";
import { ChannelProbe } from "../channel-probe.ts";
import type { Place } from "./places.ts";
import type { Wire } from "./wires.ts";
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
    const server = createServer([this.transport()], given, (socket) => {
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
    transports: readonly Transport[] = [this.transport()],
  ): Witness {
    const given = { runtime: this.place.client, ...options };
    const witness = new Witness(createConnection(info, transports, given));
    this.after(() => void witness.socket.destroy());
    return witness;
  }

  /** A transport of the wire. */
  transport(): Transport {
    return this.wire.create(this.place);
  }

  /** A channel of the bare transport, as a stranger opens it. */
  async open(endpoint: Endpoint): Promise<ChannelProbe> {
    const channel = await this.transport().dial(endpoint, strangersContext(this.place, endpoint));
    this.after(() => channel.abort());
    return new ChannelProbe(channel).attach();
  }
}

/** What a dial has whose caller has a fresh key, for dialogs, and no session. */
export function strangersContext({ client: runtime }: Place, endpoint: Endpoint): DialContext {
  const { signal } = new AbortController();
  const security = endpoint.publicKey ? { identity: createIdentity(), allowUnknownPeer: false } : undefined;
  const options = { runtime, security, dialPolicy: undefined, endpoint, signal };
  return {
    runtime,
    signal,
    onPhase() {},
    openDialog: (...target: DialogTarget) => openDialog(options, target),
  };
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
