import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { describe, it } from "node:test";
import type { NetSocket } from "../../../src/host/stun-stream.ts";
import { TurnAcceptor } from "../../../src/host/turn-acceptor.ts";
import type { TurnSink } from "../../../src/host/turn-socket.ts";
import { runtime } from "../../../src/platform/node.ts";
import { nodeCrypto as crypto } from "../../../src/platform/node-crypto.ts";
import { makeMessage } from "../../../src/stun/attribute.ts";
import { ERROR_CODE } from "../../../src/stun/errors.ts";
import { LongTermCredentials } from "../../../src/stun/long-term.ts";
import { decodeMessage, encodeMessage, type ReceivedMessage } from "../../../src/stun/message.ts";
import { CONNECTION_BIND, CONNECTION_ID } from "../../../src/turn/attributes.ts";

const PEER = { address: "127.0.0.1", port: 9000 };

/** What a server does about a ConnectionBind. */
type Answer = (request: ReceivedMessage, socket: Socket) => void;

const join: Answer = ({ method, transactionId }, socket) =>
  void socket.write(encodeMessage(makeMessage("success", method, transactionId, [])));
const refuse: Answer = ({ method, transactionId }, socket) => {
  const error = ERROR_CODE.of({ code: 437, reason: "no" });
  socket.write(encodeMessage(makeMessage("error", method, transactionId, [error])));
};

/** The TCP port of a TURN server, and who accepts the peers of an allocation there. */
class Bench {
  answer: Answer = join;
  readonly asked: (number | undefined)[] = [];
  readonly sockets: Socket[] = [];
  readonly joined: NetSocket[] = [];
  readonly logged: string[] = [];
  readonly acceptor: TurnAcceptor;
  sink!: TurnSink;
  #waiting: (() => void)[] = [];

  private constructor(server: Server) {
    const { port } = server.address() as AddressInfo;
    server.on("connection", (socket) => this.#serve(socket));
    const log = (text: string, ...values: readonly unknown[]): void => {
      this.logged.push([text, ...values].join(" "));
      this.#wake();
    };
    const socket = {
      server: { address: "127.0.0.1", port },
      credentials: new LongTermCredentials({ crypto, username: "us", password: "secret" }),
      attach: (sink: TurnSink) => {
        this.sink = sink;
      },
    };
    const way = { host: "127.0.0.1", port, protocol: "tcp" } as const;
    this.acceptor = new TurnAcceptor(way, socket, { ...runtime, log }, (stream) => {
      this.joined.push(stream);
      this.#wake();
    });
  }

  static async run(body: (bench: Bench) => Promise<void>): Promise<void> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const bench = new Bench(server);
    try {
      await body(bench);
    } finally {
      bench.acceptor.close();
      for (const socket of [...bench.sockets, ...bench.joined]) socket.destroy();
      server.close();
      await once(server, "close");
    }
  }

  #serve(socket: Socket): void {
    this.sockets.push(socket);
    socket.on("error", () => {});
    socket.once("data", (data: Buffer) => {
      const request = decodeMessage(data);
      assert.ok(typeof request !== "string");
      assert.equal(request.method, CONNECTION_BIND);
      this.asked.push(CONNECTION_ID.in(request));
      this.answer(request, socket);
      this.#wake();
    });
  }

  attempt(connection: number): void {
    this.sink.onAttempt?.(connection, PEER);
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

describe("who accepts on a TCP allocation", () => {
  it("joins each peer to a connection of its own, whose bytes begin after the server's response", () =>
    Bench.run(async (bench) => {
      bench.answer = (request, socket) => {
        const said = encodeMessage(makeMessage("success", request.method, request.transactionId, []));
        // Like a response, but a peer's.
        socket.write(Buffer.concat([said, said, Buffer.from("and more")]));
      };
      bench.attempt(7);
      bench.attempt(8);
      await bench.until(() => bench.joined.length === 2);
      assert.deepEqual(new Set(bench.asked), new Set([7, 8]));
      for (const stream of bench.joined) {
        const chunks: Buffer[] = [];
        let length = 0;
        stream.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          length += chunk.length;
        });
        while (length < 28) await once(stream, "data");
        const bytes = Buffer.concat(chunks);
        assert.equal(`${bytes.subarray(20)}`, "and more");
        stream.write("back");
      }
      for (const socket of bench.sockets) assert.equal(`${(await once(socket, "data"))[0]}`, "back");
    }));

  it("goes on after a refusal, a server that hangs up, and one that babbles", () =>
    Bench.run(async (bench) => {
      bench.answer = refuse;
      bench.attempt(1);
      await bench.until(() => bench.logged.length === 1);
      assert.match(bench.logged[0]!, /a peer was not joined: .*437 no/);
      bench.answer = (_, socket) => socket.destroy();
      bench.attempt(2);
      await bench.until(() => bench.logged.length === 2);
      bench.answer = (_, socket) => void socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
      bench.attempt(3);
      await bench.until(() => bench.logged.length === 3);
      assert.deepEqual(bench.joined, []);
      bench.answer = join;
      bench.attempt(4);
      await bench.until(() => bench.joined.length === 1);
    }));

  it("joins 64 at once, and nobody after close", () =>
    Bench.run(async (bench) => {
      bench.answer = () => {};
      for (let i = 0; i < 70; i++) bench.attempt(i);
      await bench.until(() => bench.asked.length === 64);
      const hungUp = Promise.all(bench.sockets.map((socket) => once(socket, "close")));
      bench.acceptor.close();
      await hungUp;
      bench.attempt(99);
      assert.deepEqual([bench.asked.length, bench.joined.length, bench.logged], [64, 0, []]);
    }));

  it("says when the allocation is lost, but not when it is given back", () =>
    Bench.run(async (bench) => {
      const lost: Error[] = [];
      bench.acceptor.onLost = (error) => lost.push(error);
      bench.sink.onClose?.();
      const error = new Error("gone");
      bench.sink.onClose?.(error);
      assert.deepEqual(lost, [error]);
    }));
});
