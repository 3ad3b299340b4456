import { once } from "node:events";
import type { TestContext } from "node:test";
import {
  type ConnectionInfo,
  createConnection,
  createIdentity,
  createServer,
  type Identity,
  type Server,
  type ServerOptions,
  type Socket,
  type SocketOptions,
} from "1tp";
import { IntroducerSignaling } from "../../../signaling/introducer/index.ts";
import { LocalHub, LocalSignaling } from "../../../signaling/local/index.ts";
import { createRegistrar } from "../../../signaling/registrar/index.ts";
import { WebSocketSignaling } from "../../../signaling/websocket/index.ts";
import type { Signaling } from "../../../src/contract/dialog.ts";
import { TcpTransport } from "../../../transports/tcp/index.ts";
import { type Meddling, MeddlingSignaling, witness } from "../../kit/meddling-signaling.ts";
import { SignaledTransport } from "../../kit/signaled-transport.ts";
import { Witness } from "../security/witness.ts";

/** A signaling service of one test. */
interface Service {
  /** For the endpoint of that identity; default: the process's own. */
  create(identity: Identity | undefined): Signaling;
  stop(): Promise<void>;
}

/** Who carries the dialogs in the tests of this room. */
export const SERVICES: readonly { readonly word: string; start(): Promise<Service> }[] = [
  {
    word: "local",
    async start() {
      const hub = new LocalHub();
      return { create: () => new LocalSignaling({ hub }), stop: async () => {} };
    },
  },
  {
    word: "websocket",
    async start() {
      const registrar = await createRegistrar({ host: "127.0.0.1" });
      return { create: () => new WebSocketSignaling({ url: registrar.url }), stop: () => registrar.close() };
    },
  },
  {
    word: "introducer",
    async start() {
      const introducer = createServer([new TcpTransport()], { introduce: true, identity: createIdentity() });
      const info = await introducer.listenP([
        { transportType: "tcp", transportInfo: { address: "127.0.0.1" } },
      ]);
      const sockets: Socket[] = [];
      return {
        create(identity) {
          const socket = createConnection(info, [new TcpTransport()], identity ? { identity } : {});
          sockets.push(socket);
          return new IntroducerSignaling(socket);
        },
        async stop() {
          for (const socket of sockets) socket.destroy();
          await introducer.closeP();
        },
      };
    },
  },
];

/** A server on a signaled transport, and its connections. */
export interface Stand {
  readonly server: Server;
  readonly transport: SignaledTransport;
  readonly info: ConnectionInfo;
  readonly visitors: Witness[];
}

/** One carrier, whom everybody in a test talks through. */
export class Carrier {
  readonly meddling: Meddling = witness();
  readonly #test: TestContext;
  readonly #service: Service;
  readonly #signalings: Signaling[] = [];

  private constructor(test: TestContext, service: Service) {
    this.#test = test;
    this.#service = service;
    test.after(async () => {
      await Promise.all(this.#signalings.map((signaling) => signaling.close()));
      await service.stop();
    });
  }

  static async start(test: TestContext, service: (typeof SERVICES)[number]): Promise<Carrier> {
    return new Carrier(test, await service.start());
  }

  /** All that was carried, as text. */
  get seen(): string {
    return JSON.stringify(this.meddling.seen);
  }

  signaling(identity?: Identity): Signaling {
    const signaling = new MeddlingSignaling(this.#service.create(identity), this.meddling);
    this.#signalings.push(signaling);
    return signaling;
  }

  /** An echoing server. */
  async serve(options: ServerOptions = {}): Promise<Stand> {
    const transport = new SignaledTransport(this.signaling(options.identity));
    const visitors: Witness[] = [];
    const server = createServer([transport], options, (socket) => {
      visitors.push(new Witness(socket));
      socket.pipe(socket);
    });
    const info = await server.listenP();
    this.#test.after(() => {
      if (server.listening) server.close();
      for (const { socket } of visitors) socket.destroy();
    });
    return { server, transport, info, visitors };
  }

  dial(info: ConnectionInfo, options: SocketOptions = {}, patience?: number): Witness {
    const transport = new SignaledTransport(
      this.signaling(options.identity),
      patience ? { connectTimeout: patience } : {},
    );
    const witness = new Witness(createConnection(info, [transport], options));
    this.#test.after(() => void witness.socket.destroy());
    return witness;
  }
}

/** Has the server repeat a word, and closes. */
export async function converse(client: Witness): Promise<Socket> {
  client.socket.end("hello");
  await client.hears("hello");
  if (!client.closed) await once(client.socket, "close");
  return client.socket;
}
