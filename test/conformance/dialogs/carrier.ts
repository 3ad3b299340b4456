import { once } from "node:events";
import type { TestContext } from "node:test";
import {
  type ConnectionInfo,
  createConnection,
  createServer,
  type Server,
  type ServerOptions,
  type Socket,
  type SocketOptions,
} from "1tp";
import { LocalHub, LocalSignaling } from "../../../signaling/local/index.ts";
import { createRegistrar } from "../../../signaling/registrar/index.ts";
import { WebSocketSignaling } from "../../../signaling/websocket/index.ts";
import type { Signaling } from "../../../src/contract/dialog.ts";
import { type Meddling, MeddlingSignaling, witness } from "../../kit/meddling-signaling.ts";
import { SignaledTransport } from "../../kit/signaled-transport.ts";
import { Witness } from "../security/witness.ts";

/** A signaling service of one test. */
interface Service {
  create(): Signaling;
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

  signaling(): Signaling {
    const signaling = new MeddlingSignaling(this.#service.create(), this.meddling);
    this.#signalings.push(signaling);
    return signaling;
  }

  /** An echoing server. */
  async serve(options: ServerOptions = {}): Promise<Stand> {
    const transport = new SignaledTransport(this.signaling());
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
    const transport = new SignaledTransport(this.signaling(), patience ? { connectTimeout: patience } : {});
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
