import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { describe, test } from "node:test";
import { type Connection, connect, createServer, Server } from "1tp/utp";
import { runtime } from "../../../src/platform/node.ts";
import { assertNothingLeft } from "../../kit/leaks.ts";
import { close, closed, failure, failureCode, freePort, listen, notes, portOf, readAll } from "./loopback.ts";

/** A runtime that knows some names. */
function knowing(names: Readonly<Record<string, readonly string[]>>): typeof runtime {
  return {
    ...runtime,
    async lookup(name) {
      if (names[name]) return names[name];
      throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: "ENOTFOUND" });
    },
  };
}

const echo = (connection: Connection) => void connection.pipe(connection);

describe("a server of 1tp/utp", () => {
  test("listens on every own IPv4 address unless told, and on the port it is told", () =>
    assertNothingLeft(async () => {
      const server = createServer(echo);
      assert.equal(server.address(), null);
      const port = await freePort();
      await once(server.listen(port), "listening");
      assert.deepEqual(server.address(), { address: "0.0.0.0", family: "IPv4", port });
      assert.equal(
        await readAll(connect(port, server.address()!.address).end("by the wildcard")),
        "by the wildcard",
      );
      await close(server);
      assert.equal(server.address(), null);
    }));

  test("listens on IPv6 alone as udp6", () =>
    assertNothingLeft(async () => {
      const server = createServer(echo);
      await once(server.listen(0, "udp6"), "listening");
      const port = portOf(server);
      assert.equal(server.address()!.family, "IPv6");
      assert.equal(await readAll(connect(port, "::1").end("six")), "six");
      assert.equal(await readAll(connect(port, "localhost", "udp6").end("six")), "six");
      assert.equal(await failureCode(connect(port, "127.0.0.1")), "ECONNREFUSED");
      await close(server);
    }));

  test("listens on a host by its name", () =>
    assertNothingLeft(async () => {
      const server = createServer({ runtime: knowing({ "this.test": ["::1", "127.0.0.1"] }) }, echo);
      await once(server.listen(0, "this.test"), "listening");
      assert.equal(server.address()!.address, "127.0.0.1");
      await close(server);
    }));

  test("a port in use, an address that is not here and a name without address are error events", () =>
    assertNothingLeft(async () => {
      const first = await listen();
      const server = createServer({ runtime: knowing({}) });
      for (const [port, host, code] of [
        [portOf(first), "127.0.0.1", "EADDRINUSE"],
        [0, "5.0.0.1", "EADDRNOTAVAIL"],
        [0, "nowhere.test", "ENOTFOUND"],
        [65_536, "127.0.0.1", "ERR_SOCKET_BAD_PORT"],
        [-1, "127.0.0.1", "ERR_SOCKET_BAD_PORT"],
        ["eighty", "127.0.0.1", "ERR_SOCKET_BAD_PORT"],
      ] as const) {
        assert.equal(await failureCode(server.listen(port, host)), code);
        assert.equal(server.listening, false);
      }
      await once(server.listen(0, "127.0.0.1"), "listening");
      await close(server, first);
    }));

  test("can be closed before it listens, and then listen", () =>
    assertNothingLeft(async () => {
      const server = createServer();
      const events = notes(server, "listening", "close", "error");
      server.listen(0, "127.0.0.1");
      await close(server);
      assert.deepEqual(events, ["close"]);
      await once(server.listen(0, "127.0.0.1"), "listening");
      await close(server);
    }));

  test("is closed by its signal and by await using", () =>
    assertNothingLeft(async () => {
      const controller = new AbortController();
      const server = await listen({ signal: controller.signal });
      controller.abort();
      await closed(server);
      const disposed = await listen();
      await disposed[Symbol.asyncDispose]();
      assert.equal(disposed.listening, false);
    }));

  test("leaves no listener on its signal when it is closed, or cannot listen", () =>
    assertNothingLeft(async () => {
      const { signal } = new AbortController();
      const server = await listen({ signal });
      assert.equal(getEventListeners(signal, "abort").length, 1);
      const second = createServer({ signal });
      for (let i = 0; i < 3; i++) await once(second.listen(portOf(server), "127.0.0.1"), "error");
      assert.equal(getEventListeners(signal, "abort").length, 1);
      await close(server);
      assert.equal(getEventListeners(signal, "abort").length, 0);
    }));

  test("refuses what is above maxConnections, and accepts again", () =>
    assertNothingLeft(async () => {
      const server = await listen();
      server.maxConnections = 2;
      const port = portOf(server);
      const [first, second] = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
      const accepted: Connection[] = [];
      server.on("connection", (connection) => accepted.push(connection));
      while (accepted.length < 2) await once(server, "connection");
      assert.equal(await failureCode(connect(port, "127.0.0.1")), "ECONNREFUSED");
      assert.equal(accepted.length, 2);
      first.end().resume();
      await Promise.all([
        closed(first),
        ...accepted.filter((each) => each.remotePort === first.localPort).map(closed),
      ]);
      assert.equal(await readAll(connect(port, "127.0.0.1").end("again")), "again");
      second.end().resume();
      await close(server);
    }));

  test("gives new connections the connectionOptions of the moment", () =>
    assertNothingLeft(async () => {
      const server = await listen({ allowHalfOpen: true, highWaterMark: 99 }, (connection) =>
        connection.end(),
      );
      assert.deepEqual(server.connectionOptions, { allowHalfOpen: true, highWaterMark: 99 });
      const properties: unknown[] = [];
      server.on("connection", (connection) =>
        properties.push([
          connection.allowHalfOpen,
          connection.readableHighWaterMark,
          connection.readableObjectMode,
        ]),
      );
      await readAll(connect(portOf(server), "127.0.0.1"));
      server.connectionOptions = { objectMode: true };
      await readAll(connect(portOf(server), "127.0.0.1"));
      assert.deepEqual(properties, [
        [true, 99, false],
        [false, 16, true],
      ]);
      await close(server);
    }));

  test("is made by new as well", () => {
    const server = new Server({ allowHalfOpen: true });
    assert.equal(server.listening, false);
    assert.deepEqual(server.connectionOptions, { allowHalfOpen: true });
  });
});

describe("a dial from a server's port", () => {
  test("calls back with a connection that connects later", () =>
    assertNothingLeft(async () => {
      const [near, far] = [await listen(), await listen()];
      const [error, connection] = await new Promise<[Error | null, Connection | undefined]>((resolve) =>
        near.connect(portOf(far), "localhost", { allowHalfOpen: true }, (...given) =>
          resolve(given as never),
        ),
      );
      assert.equal(error, null);
      assert.ok(connection?.connecting);
      assert.equal(connection.allowHalfOpen, true);
      await once(connection, "connect");
      assert.equal(connection.localPort, portOf(near));
      assert.deepEqual(connection.address(), { host: "127.0.0.1", port: portOf(far) });
      assert.equal(await readAll(connection.end("mine")), "mine");
      await close(near, far);
    }));

  test("calls back with what is wrong", () =>
    assertNothingLeft(async () => {
      const server = createServer({ runtime: knowing({ "six.test": ["::1"] }) });
      const outcome = (port: number, host: string): Promise<string | undefined> =>
        new Promise((resolve) =>
          server.connect(port, host, (error, connection) => {
            assert.equal(connection, undefined);
            resolve((error as NodeJS.ErrnoException).code);
          }),
        );
      assert.equal(await outcome(80, "127.0.0.1"), "ERR_SERVER_NOT_RUNNING");
      await once(server.listen(0, "127.0.0.1"), "listening");
      assert.equal(await outcome(80, "nowhere.test"), "ENOTFOUND");
      assert.equal(await outcome(80, "six.test"), "ENOTFOUND");
      assert.equal(await outcome(80, "::1"), "EAFNOSUPPORT");
      assert.equal(await outcome(0, "127.0.0.1"), "ERR_SOCKET_BAD_PORT");
      assert.equal(await outcome(65_536, "127.0.0.1"), "ERR_SOCKET_BAD_PORT");
      await close(server);
    }));

  test("to an address gives the connection at once, also before the server listens", () =>
    assertNothingLeft(async () => {
      const far = await listen();
      const near = createServer().listen(0, "127.0.0.1");
      const connection = near.connectAddr(portOf(far), "127.0.0.1");
      assert.deepEqual(connection.address(), { host: "127.0.0.1", port: portOf(far) });
      assert.equal(connection.remoteAddress, undefined);
      assert.equal(await readAll(connection.end("mine")), "mine");
      assert.deepEqual([connection.remoteAddress, connection.remotePort], ["127.0.0.1", portOf(far)]);
      assert.deepEqual([connection.localAddress, connection.localPort], ["127.0.0.1", portOf(near)]);
      assert.equal(connection.remoteFamily, "IPv4");
      await close(near, far);
    }));

  test("to an address fails as an event, and for no address at once", () =>
    assertNothingLeft(async () => {
      const server = createServer();
      const code = (...given: [number, string]) => failureCode(server.connectAddr(...given));
      assert.equal(await code(80, "127.0.0.1"), "ERR_SERVER_NOT_RUNNING");
      await once(server.listen(0, "127.0.0.1"), "listening");
      assert.equal(await code(80, "::1"), "EAFNOSUPPORT");
      assert.equal(await code(65_536, "127.0.0.1"), "ERR_SOCKET_BAD_PORT");
      for (const address of ["localhost", "", "1.2.3", "127.0.0.1:80"]) {
        assert.throws(() => server.connectAddr(80, address), { code: "ERR_INVALID_IP_ADDRESS" });
      }
      await close(server);
    }));

  test("keeps the server from closing until it is over", () =>
    assertNothingLeft(async () => {
      const [near, far] = [await listen(), await listen()];
      const connection = near.connectAddr(portOf(far), "127.0.0.1");
      await once(connection, "connect");
      const events = notes(near, "close");
      near.close();
      assert.equal(await readAll(connection.end("still open")), "still open");
      assert.deepEqual(events, []);
      await once(near, "close");
      await close(far);
    }));

  test("meets one from the other side on the same two ports", () =>
    assertNothingLeft(async () => {
      const greet = (connection: Connection): void => void connection.end("from the server");
      const [a, b] = [await listen({}, greet), await listen({}, greet)];
      const dials = [a.connectAddr(portOf(b), "127.0.0.1"), b.connectAddr(portOf(a), "127.0.0.1")];
      assert.deepEqual(
        await Promise.all(dials.map((dial) => readAll(dial))),
        Array(2).fill("from the server"),
      );
      await close(a, b);
    }));
});

describe("a dial of 1tp/utp", () => {
  test("goes to a name, IPv4 first", () =>
    assertNothingLeft(async () => {
      const server = await listen();
      const connection = connect(portOf(server), "this.test", {
        runtime: knowing({ "this.test": ["::1", "127.0.0.1"] }),
      });
      assert.deepEqual(connection.address(), { host: "this.test", port: portOf(server) });
      assert.equal(await readAll(connection.end("by name")), "by name");
      assert.deepEqual(connection.address(), { host: "127.0.0.1", port: portOf(server) });
      await close(server);
    }));

  test("without host goes to this one", () =>
    assertNothingLeft(async () => {
      const server = await listen();
      assert.equal(await readAll(connect(portOf(server)).end("here")), "here");
      await close(server);
    }));

  test("fails as an event where net does", () =>
    assertNothingLeft(async () => {
      const names = knowing({ "six.test": ["::1"] });
      const port = await freePort();
      const bindDatagram = async () => {
        throw Object.assign(new Error("bind EMFILE"), { code: "EMFILE" });
      };
      const full = { ...runtime, bindDatagram };
      const dials: readonly (readonly [() => Connection, string])[] = [
        [() => connect(port, "127.0.0.1"), "ECONNREFUSED"],
        [() => connect(80, "nowhere.test", { runtime: names }), "ENOTFOUND"],
        [() => connect(80, "six.test", "udp4", { runtime: names }), "ENOTFOUND"],
        [() => connect(80, "::1", "udp4"), "EAFNOSUPPORT"],
        [() => connect(80, "127.0.0.1", { runtime: full }), "EMFILE"],
        [() => connect(65_536, "127.0.0.1"), "ERR_SOCKET_BAD_PORT"],
        [() => connect(0, "127.0.0.1"), "ERR_SOCKET_BAD_PORT"],
        [() => connect(1.5, "127.0.0.1"), "ERR_SOCKET_BAD_PORT"],
        [() => connect("eighty", "127.0.0.1"), "ERR_SOCKET_BAD_PORT"],
      ];
      for (const [dial, code] of dials) {
        const connection = dial();
        const events = notes(connection, "connect", "error", "close");
        await closed(connection);
        assert.deepEqual(events, [`error ${code}`, "close"]);
      }
    }));

  test("names address and port where it was refused", async () => {
    const port = await freePort();
    const error = await failure(connect(port, "127.0.0.1"));
    assert.equal(error.message, `connect ECONNREFUSED 127.0.0.1:${port}`);
  });

  test("brings the data of its SYN as the beginning of the stream", () =>
    assertNothingLeft(async () => {
      const server = await listen();
      for (const data of [
        "hello ",
        Buffer.from("hello "),
        new TextEncoder().encode("hello "),
        "x".repeat(5000),
      ]) {
        const connection = connect(portOf(server), "127.0.0.1", { data });
        const expected = `${Buffer.from(data)}world`;
        assert.equal(await readAll(connection.end("world")), expected);
        assert.equal(connection.bytesWritten, expected.length);
      }
      await close(server);
    }));

  test("may write long before it is connected", () =>
    assertNothingLeft(async () => {
      const server = await listen();
      const connection = connect(portOf(server), "127.0.0.1");
      const text = "z".repeat(300_000);
      connection.write(text);
      assert.equal((await readAll(connection.end())) === text, true);
      await close(server);
    }));
});

test("1,000 connections on one port each get their own answer", () =>
  assertNothingLeft(async () => {
    const server = await listen({}, (connection) => {
      connection.on("data", (data) => connection.end(`${data} answered`));
    });
    const dialler = await listen();
    const dial = async (i: number): Promise<void> => {
      const connection = dialler.connectAddr(portOf(server), "127.0.0.1", { timeout: 60_000 });
      connection.write(`${i}`);
      assert.equal(await readAll(connection), `${i} answered`);
    };
    await Promise.all(Array.from({ length: 1000 }, (_, i) => dial(i)));
    await close(server, dialler);
  }));
