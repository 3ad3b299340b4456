import assert from "node:assert/strict";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { describe, test } from "node:test";
import { seededRandom } from "../../../src/base/random.ts";
import type { Runtime } from "../../../src/contract/runtime.ts";
import { runtime } from "../../../src/platform/node.ts";
import { type Connection, connect, createServer } from "../../../src/utp-net/index.ts";
import type { LinkOptions } from "../../kit/link.ts";
import { Pattern } from "../../kit/pattern.ts";
import { UdpRelay } from "../../kit/udp-relay.ts";
import * as libutp from "./libutp.ts";

const BULK = 16 * 1024 * 1024;
/** What our side is asked to keep to when packets shall have Ethernet's size on loopback. */
const ETHERNET = { mtu: 1400 };
const MILD = { latency: 2, jitter: 0.5, loss: 0.001, reorder: 0.002, reorderDelay: 1 };
const ROUGH = { latency: 3, jitter: 2, loss: 0.02, reorder: 0.03, reorderDelay: 4, duplicate: 0.02 };
const LIMIT = { timeout: 90_000 };

/** One UDP port of one of the two implementations, with Node streams as connections. */
interface Port {
  readonly number: number;
  connect(port: number): Duplex;
  close(): void;
}

type Implementation = (onConnection: (connection: Duplex) => void) => Promise<Port>;

async function ours(onConnection: (connection: Duplex) => void, options = {}): Promise<Port> {
  const server = createServer({ allowHalfOpen: true, ...options }, onConnection);
  server.listen(0, "udp4");
  await once(server, "listening");
  return {
    number: server.address()!.port,
    connect: (port) => connect(port, "127.0.0.1", { allowHalfOpen: true, ...options }),
    close: () => server.close(),
  };
}

const oursByEthernet: Implementation = (onConnection) => ours(onConnection, ETHERNET);

async function theirs(onConnection: (connection: Duplex) => void): Promise<Port> {
  const port = await libutp.listen(onConnection);
  return {
    number: port.address().port,
    connect: (to) => port.connect(to, "127.0.0.1"),
    close: () => port.close(),
  };
}

const DIRECTIONS = [
  ["we dial libutp", ours, theirs],
  ["we dial libutp with small packets", oursByEthernet, theirs],
  ["libutp dials us", theirs, ours],
] as const;

/** Joins a dialling port of one implementation to a listening one of the other, over a link if one is given. */
async function join(
  dialler: Implementation,
  listener: Implementation,
  serve: (connection: Duplex) => void,
  body: (dial: () => Duplex) => Promise<void>,
  link?: LinkOptions,
): Promise<void> {
  const server = await listener(serve);
  const client = await dialler((connection) => connection.destroy());
  const relay = link ? await UdpRelay.open(server.number, link) : undefined;
  try {
    await body(() => client.connect(relay?.port ?? server.number));
    if (relay) assert.ok(relay.up.counters.delivered > 0 && relay.down.counters.delivered > 0);
  } finally {
    client.close();
    server.close();
    relay?.close();
  }
}

/** Writes `length` bytes of a pattern as fast as they are taken, and ends. */
function send(stream: Duplex, id: number, length: number): void {
  const pattern = new Pattern(id);
  let position = 0;
  const more = (): void => {
    while (position < length) {
      const chunk = pattern.slice(position, Math.min(65_536, length - position));
      position += chunk.length;
      if (!stream.write(chunk)) {
        stream.once("drain", more);
        return;
      }
    }
    stream.end();
  };
  more();
}

/** Reads to the end; resolves with how much came, all of it as the pattern has it. */
function receive(stream: Duplex, id: number): Promise<number> {
  const pattern = new Pattern(id);
  let position = 0;
  return new Promise((resolve, reject) => {
    stream.on("error", reject);
    stream.on("end", () => resolve(position));
    stream.on("data", (chunk: Buffer) => {
      if (!pattern.matches(chunk, position)) reject(new Error(`other bytes at ${position}`));
      position += chunk.length;
    });
  });
}

/** Sends so much both ways at once, the listener when it has heard the dialler, and waits for both ends to close. */
async function exchange(
  dialler: Implementation,
  listener: Implementation,
  up: number,
  down: number,
  link?: LinkOptions,
) {
  let received: Promise<number> | undefined;
  let closed: Promise<unknown> | undefined;
  const serve = (connection: Duplex): void => {
    received = receive(connection, 0);
    closed = once(connection, "close");
    // libutp cannot write before it has read.
    connection.once("data", () => send(connection, 1, down));
  };
  const dial = async (open: () => Duplex): Promise<void> => {
    const connection = open();
    const close = once(connection, "close");
    const answer = receive(connection, 1);
    send(connection, 0, up);
    assert.equal(await answer, down);
    assert.equal(await received, up);
    await Promise.all([close, closed]);
  };
  await join(dialler, listener, serve, dial, link);
}

for (const [name, dialler, listener] of DIRECTIONS) {
  describe(`when ${name}`, () => {
    test("16 MB go up", LIMIT, () => exchange(dialler, listener, BULK, 10));
    test("16 MB come down", LIMIT, () => exchange(dialler, listener, 10, BULK));
    test("megabytes go both ways at once", LIMIT, () => exchange(dialler, listener, BULK / 4, BULK / 4));
    test("a connection with hardly a byte ends in good order", LIMIT, () =>
      exchange(dialler, listener, 1, 0),
    );

    test("questions are answered over a lossy link that reorders and repeats", LIMIT, () =>
      join(
        dialler,
        listener,
        (connection) =>
          connection.on("data", (chunk: Buffer) => connection.write(chunk)).on("end", () => connection.end()),
        async (dial) => {
          const connection = dial();
          const random = seededRandom(1);
          for (let round = 0; round < 60; round++) {
            const question = new Pattern(round).slice(0, 1 + random.integer(3000));
            connection.write(question);
            assert.deepEqual(await read(connection, question.length), Buffer.from(question));
          }
          connection.end();
          connection.resume();
          await once(connection, "close");
        },
        ROUGH,
      ),
    );

    test("50 connections at once between two ports keep apart", LIMIT, () =>
      join(
        dialler,
        listener,
        (connection) => connection.pipe(connection),
        async (dial) => {
          const bytes = await Promise.all(
            Array.from({ length: 50 }, (_, id) => {
              const connection = dial();
              send(connection, id, 50_000);
              return receive(connection, id);
            }),
          );
          assert.deepEqual(new Set(bytes), new Set([50_000]));
        },
      ),
    );
  });
}

describe("when a connection fails", () => {
  test("libutp hears our reset", LIMIT, async () => {
    const server = await ours((connection) =>
      connection.once("data", () => (connection as Connection).resetAndDestroy()),
    );
    const client = await theirs(() => {});
    const connection = client.connect(server.number);
    connection.write("hello");
    const [error] = await once(connection, "error");
    assert.match(error.message, /ECONNRESET/);
    server.close();
    client.close();
  });

  test("libutp hears that we refuse it", LIMIT, async () => {
    const server = createServer();
    server.maxConnections = 0;
    server.listen(0, "udp4");
    await once(server, "listening");
    const client = await theirs(() => {});
    const connection = client.connect(server.address()!.port);
    connection.write("hello");
    const [error] = await once(connection, "error");
    assert.match(error.message, /ECONNREFUSED|ECONNRESET/);
    server.close();
    client.close();
  });

  test("every connection id we may draw reaches libutp", LIMIT, () =>
    join(
      (onConnection) => ours(onConnection, { runtime: drawing([0, 1, 65_535, 65_534]) }),
      theirs,
      (connection) => connection.pipe(connection),
      async (dial) => {
        for (let dials = 0; dials < 3; dials++) {
          const connection = dial();
          send(connection, dials, 10);
          assert.equal(await receive(connection, dials), 10);
        }
      },
    ),
  );
});

/** The runtime of this machine with other numbers of 16 bits: an id and a sequence number for each dial. */
function drawing(ids: number[]): Runtime {
  let draws = 0;
  const fill = <T extends Uint8Array>(bytes: T): T => {
    const isId = bytes.length === 2 && draws++ % 2 === 0;
    const id = isId ? ids.shift() : undefined;
    if (id === undefined) return runtime.random.fill(bytes);
    if (id === 65_535) draws++;
    bytes.set([id >> 8, id & 0xff]);
    return bytes;
  };
  return { ...runtime, random: { fill } };
}

describe("over a link that loses and reorders", () => {
  test("16 MB go from us to libutp", LIMIT, () => exchange(oursByEthernet, theirs, BULK, 10, MILD));
  test("16 MB go from us to libutp in packets of any size", LIMIT, () =>
    exchange(ours, theirs, BULK, 10, MILD),
  );
  test("16 MB go from libutp to us", LIMIT, () => exchange(theirs, ours, BULK, 10, MILD));
});

/** The next `length` bytes, when no more are on the way. */
async function read(stream: Duplex, length: number): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < length) {
    const chunk = stream.read() as Buffer | null;
    if (chunk) bytes = Buffer.concat([bytes, chunk]);
    else await once(stream, "readable");
  }
  return bytes;
}
