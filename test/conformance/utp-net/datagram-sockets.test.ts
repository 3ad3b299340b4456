import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { describe, test } from "node:test";
import { connect, createServer } from "1tp/utp";
import { assertNothingLeft } from "../../kit/leaks.ts";
import {
  boundSocket,
  close,
  closed,
  failure,
  failureCode,
  freePort,
  listen,
  notes,
  portOf,
  readAll,
} from "./loopback.ts";

/** Sends a text and gives the echo. */
async function echo(port: number, from?: Socket): Promise<string> {
  return readAll(connect(port, "127.0.0.1", from).end("to and fro"));
}

/** Ways to prepare a socket. */
const STATES: Readonly<Record<string, (socket: Socket) => unknown>> = {
  "that is bound": (socket) => once(socket.bind(0), "listening"),
  "that is being bound": (socket) => void socket.bind(0),
  "that is not bound": () => {},
};

describe("a server of 1tp/utp on a dgram socket of the user's", () => {
  for (const [name, prepare] of Object.entries(STATES)) {
    test(`${name} listens, and leaves it open`, () =>
      assertNothingLeft(async () => {
        const socket = createSocket("udp4");
        await prepare(socket);
        const server = createServer((connection) => connection.pipe(connection));
        await new Promise<void>((resolve) => server.listen(socket, resolve));
        assert.deepEqual(server.address(), socket.address());
        assert.equal(await echo(socket.address().port), "to and fro");
        await close(server);
        assert.equal(server.address(), null);
        assert.ok(socket.address().port > 0);
        for (const event of ["message", "error", "close", "listening"]) {
          assert.equal(socket.listenerCount(event), 0, event);
        }
        socket.close();
      }));
  }

  test("binds it to the port it is given", () =>
    assertNothingLeft(async () => {
      const port = await freePort();
      const socket = createSocket("udp4");
      const server = createServer();
      await once(server.listen(port, socket), "listening");
      assert.equal(portOf(server), port);
      await close(server);
      socket.close();
    }));

  test("takes one that is bound to that port already", () =>
    assertNothingLeft(async () => {
      const socket = await boundSocket();
      const server = createServer();
      await once(server.listen(socket.address().port, socket), "listening");
      await close(server);
      socket.close();
    }));

  test("leaves datagrams that are not uTP to others", () =>
    assertNothingLeft(async () => {
      const socket = await boundSocket();
      const server = createServer((connection) => connection.pipe(connection));
      await once(server.listen(socket), "listening");
      const sender = createSocket("udp4");
      sender.send("not uTP at all", socket.address().port, "127.0.0.1");
      const [message] = await once(socket, "message");
      assert.equal(`${message}`, "not uTP at all");
      assert.equal(await echo(socket.address().port), "to and fro");
      await close(server);
      sender.close();
      socket.close();
    }));

  test("can be listened on again, and by one server at a time", () =>
    assertNothingLeft(async () => {
      const socket = await boundSocket();
      const server = createServer((connection) => connection.pipe(connection));
      await once(server.listen(socket), "listening");
      const second = createServer();
      assert.equal(await failureCode(second.listen(socket)), "EADDRINUSE");
      assert.equal(second.listening, false);
      await close(server);
      await once(second.listen(socket), "listening");
      await close(second);
      socket.close();
    }));

  test("closed under a server ends its connections and the server", () =>
    assertNothingLeft(async () => {
      const socket = await boundSocket();
      const server = createServer();
      await once(server.listen(socket), "listening");
      const client = connect(socket.address().port, "127.0.0.1", { keepAlive: 50, timeout: 500 });
      client.on("error", () => {});
      const [accepted] = await once(server, "connection");
      const events = notes(accepted, "error", "close");
      socket.close();
      await closed(server);
      assert.deepEqual(events, ["error ECONNABORTED", "close"]);
      assert.equal(server.listening, false);
      client.resetAndDestroy();
    }));

  test("that is closed is an error event", async () => {
    const socket = createSocket("udp4");
    socket.close();
    assert.equal(await failureCode(createServer().listen(socket)), "ERR_SOCKET_DGRAM_NOT_RUNNING");
  });

  test("that cannot be bound is an error event, and stays open", () =>
    assertNothingLeft(async () => {
      const [first, second] = [await boundSocket(), createSocket("udp4")];
      const server = createServer().listen(first.address().port, second);
      assert.equal(await failureCode(server), "EADDRINUSE");
      assert.equal(server.listening, false);
      first.close();
      second.close();
    }));

  test("bound to another port is an error event", () =>
    assertNothingLeft(async () => {
      const socket = await boundSocket();
      const server = createServer().listen(await freePort(), socket);
      assert.equal(await failureCode(server), "ERR_SOCKET_ALREADY_BOUND");
      socket.close();
    }));

  test("that is closed while it is bound is an error event", () =>
    assertNothingLeft(async () => {
      const socket = createSocket("udp4");
      const server = createServer().listen(socket);
      socket.close();
      assert.equal(await failureCode(server), "ERR_SOCKET_DGRAM_NOT_RUNNING");
    }));
});

describe("a dial of 1tp/utp from a dgram socket of the user's", () => {
  test("leaves from its port, and leaves it open", () =>
    assertNothingLeft(async () => {
      const server = await listen();
      const socket = await boundSocket();
      const connection = connect(portOf(server), "127.0.0.1", socket);
      const [[accepted]] = await Promise.all([once(server, "connection"), once(connection, "connect")]);
      assert.equal(accepted.remotePort, socket.address().port);
      assert.equal(connection.localPort, socket.address().port);
      assert.equal(await readAll(connection.end("mine")), "mine");
      await close(server);
      assert.ok(socket.address().port > 0);
      socket.close();
    }));

  test("shares it with a server and other dials", () =>
    assertNothingLeft(async () => {
      const far = await listen();
      const socket = createSocket("udp4");
      const near = createServer((connection) => connection.pipe(connection));
      await once(near.listen(socket), "listening");
      const echoes = [
        echo(portOf(far), socket),
        echo(portOf(far), socket),
        echo(portOf(near)),
        echo(portOf(near), socket),
      ];
      assert.deepEqual(await Promise.all(echoes), Array(4).fill("to and fro"));
      await close(near, far);
      socket.close();
    }));

  test("carries a megabyte each way", () =>
    assertNothingLeft(async () => {
      const socket = await boundSocket();
      const server = createServer((connection) => connection.pipe(connection));
      await once(server.listen(socket), "listening");
      const text = "0123456789abcdef".repeat(65_536);
      const connection = connect(socket.address().port, "127.0.0.1", "udp4");
      assert.equal((await readAll(connection.end(text))) === text, true);
      await close(server);
      socket.close();
    }));

  test("that is closed is an error event", async () => {
    const socket = createSocket("udp4");
    socket.close();
    const error = await failure(connect(await freePort(), "127.0.0.1", socket));
    assert.equal(error.code, "ERR_SOCKET_DGRAM_NOT_RUNNING");
  });

  test("closed while connected is ECONNABORTED", () =>
    assertNothingLeft(async () => {
      const server = await listen();
      const socket = await boundSocket();
      const connection = connect(portOf(server), "127.0.0.1", socket);
      const [[accepted]] = await Promise.all([once(server, "connection"), once(connection, "connect")]);
      socket.close();
      assert.equal(await failureCode(connection), "ECONNABORTED");
      accepted.resetAndDestroy();
      await close(server);
    }));
});
