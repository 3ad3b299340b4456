import assert from "node:assert/strict";
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import {
  type ConnectionInfo,
  createIdentity,
  createServer,
  type Identity,
  type MessageLane,
  type Server,
  type ServerOptions,
  Socket,
  type Transport,
} from "1tp";
import { IntroducerSignaling } from "../../../signaling/introducer/index.ts";
import { encodeBegin, encodeFrame, LaneReader } from "../../../signaling/introducer/wire.ts";
import { codeOf } from "../../../src/base/errors.ts";
import type { SignalingAddress } from "../../../src/contract/dialog.ts";
import type { JsonObject } from "../../../src/contract/endpoint.ts";
import { TcpTransport } from "../../../transports/tcp/index.ts";
import { DialogProbe } from "../dialog-probe.ts";

/** An introducing server that echoes, and everybody who is connected to it. */
export class House {
  server: Server;
  /** Where it is. */
  info: ConnectionInfo = [];
  readonly #create: () => Transport;
  readonly #options: ServerOptions;
  readonly #sockets: Socket[] = [];
  readonly #guests = new Set<Socket>();
  readonly #identity = createIdentity();

  private constructor(create: () => Transport, options: ServerOptions) {
    this.#create = create;
    this.#options = options;
    this.server = this.#serve(this.#identity);
  }

  #serve(identity: Identity): Server {
    const options = { introduce: true, identity, ...this.#options };
    return createServer([this.#create()], options, (socket) => {
      this.#guests.add(socket);
      socket.on("close", () => this.#guests.delete(socket));
      socket.on("error", () => {}).pipe(socket);
    });
  }

  static async open(
    options: ServerOptions = {},
    create: () => Transport = () => new TcpTransport(),
  ): Promise<House> {
    const house = new House(create, options);
    const { type } = create();
    house.info = await house.server.listenP([
      { transportType: type, transportInfo: { address: "127.0.0.1" } },
    ]);
    return house;
  }

  /** Dies, and is back on the same port, perhaps as somebody else. */
  async restart(identity: Identity = this.#identity): Promise<void> {
    const closed = this.server.closeP();
    for (const guest of this.#guests) guest.resetAndDestroy();
    await closed;
    this.server = this.#serve(identity);
    this.info = await this.server.listenP(this.info);
  }

  /** A dialog of a client with somebody who may be away for a moment. */
  async reach(client: Peer, address: SignalingAddress): Promise<DialogProbe> {
    for (;;) {
      try {
        return await client.open(address);
      } catch (error) {
        assert.equal(codeOf(error), "ERR_1TP_PEER_OFFLINE");
        await setImmediate();
      }
    }
  }

  /** A connected client, with an identity of its own. */
  async socket(identity: Identity = createIdentity(), security: "noise" | "none" = "noise"): Promise<Socket> {
    const options = security === "noise" ? { identity } : { security };
    const socket = await new Socket([this.#create()], options).connectP(this.info);
    this.#sockets.push(socket);
    socket.on("error", () => {});
    return socket;
  }

  async peer(identity: Identity = createIdentity()): Promise<Peer> {
    return new Peer(identity, await this.socket(identity));
  }

  async close(): Promise<void> {
    const closed = this.#sockets.filter((socket) => !socket.closed).map((socket) => once(socket, "close"));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([this.server.closeP(), ...closed]);
  }
}

/** Somebody who keeps the rules. */
export class Peer {
  readonly identity: Identity;
  readonly socket: Socket;
  readonly signaling: IntroducerSignaling;
  /** Why a registration was lost. */
  readonly losses: Error[] = [];
  readonly #accepted: DialogProbe[] = [];
  #wake: () => void = () => {};

  constructor(identity: Identity, socket: Socket) {
    this.identity = identity;
    this.socket = socket;
    this.signaling = new IntroducerSignaling(socket);
  }

  async register(): Promise<SignalingAddress> {
    const { address } = await this.signaling.register({
      transportType: "test",
      keyPair: this.identity.keyPair,
      onDialog: (dialog) => {
        this.#accepted.push(new DialogProbe(dialog));
        this.#wake();
      },
      onClose: (error) => this.losses.push(error),
    });
    return address;
  }

  async open(address: SignalingAddress): Promise<DialogProbe> {
    return new DialogProbe(await this.signaling.open(address, "test"));
  }

  /** The n-th dialog that came in. */
  async accepted(n = 1): Promise<DialogProbe> {
    while (this.#accepted.length < n) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#accepted[n - 1]!;
  }

  /** Has the introducing server send a word back, over the bytes of the connection. */
  async echo(word = "echo"): Promise<void> {
    let heard = "";
    await new Promise<void>((resolve) => {
      const hear = (chunk: Buffer): void => {
        heard += chunk.toString("latin1");
        if (heard.length < word.length) return;
        this.socket.off("data", hear);
        resolve();
      };
      this.socket.on("data", hear);
      this.socket.write(word);
    });
    assert.ok(heard === word, "what came back is not what was sent");
  }
}

/** Somebody who says what they like over the introducer's lane. */
export class Stranger {
  readonly socket: Socket;
  readonly lane: MessageLane;
  /** What the introducer has said, `{ type: "end" … }` included. */
  readonly heard: JsonObject[] = [];
  readonly relayed: Uint8Array[] = [];
  readonly #reader = new LaneReader(100_000);
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    this.lane = socket.lane(1)!;
    this.lane.attach({
      onMessage: (body) => {
        const message = this.#reader.read(body);
        if (message?.type === "frame") this.heard.push(JSON.parse(message.frame!.split("\n")[0]!));
        else if (message?.type === "relayed") this.relayed.push(message.frame);
        else if (message) this.heard.push({ ...message });
        this.#wake();
      },
      onDrain: () => this.#wake(),
      onClose: () => this.#wake(),
    });
  }

  /** Begins a visit and greets. */
  async enter(visit = 0): Promise<this> {
    await this.send(encodeBegin(visit));
    await this.say({ type: "hello", version: 1 }, visit);
    await this.hears("hello");
    return this;
  }

  say(message: JsonObject | string, visit = 0): Promise<void> {
    const frame = typeof message === "string" ? message : JSON.stringify(message);
    return this.send(...encodeFrame(visit, frame));
  }

  async send(...messages: readonly Uint8Array[]): Promise<void> {
    for (const message of messages) while (!this.lane.send(message)) await this.news();
  }

  /** The latest message of that type; waits for one if there is none. */
  async hears(type: string): Promise<JsonObject> {
    for (;;) {
      const message = this.heard.findLast((each) => each.type === type);
      if (message) return message;
      await this.news();
    }
  }

  /** Resolves when the introducer says something more. */
  news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
