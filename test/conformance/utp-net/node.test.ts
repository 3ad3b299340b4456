import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { describe, test } from "node:test";
import { type Connection, connect, UtpNode } from "1tp/utp";
import { assertNothingLeft } from "../../kit/leaks.ts";
import { boundSocket, close, closed, failureCode, freePort, notes, portOf, readAll } from "./loopback.ts";

const echo = (connection: Connection) => void connection.pipe(connection);

/** A node on loopback that listens, and echoes unless told. */
async function listening(onConnection: (connection: Connection) => void = echo): Promise<UtpNode> {
  const node = new UtpNode(onConnection);
  await node.bindP(0, "127.0.0.1");
  await node.listenP();
  return node;
}

describe("a node", () => {
  test("is bound to any port of every own address unless told", () =>
    assertNothingLeft(async () => {
      const node = new UtpNode();
      assert.equal(node.address(), null);
      assert.equal(node.getUdpSocket(), undefined);
      await new Promise<void>((resolve) => node.bind(resolve));
      const { address, family, port } = node.address()!;
      assert.deepEqual([address, family], ["0.0.0.0", "IPv4"]);
      assert.deepEqual(node.getUdpSocket()!.address(), { address, family, port });
      await node.closeP();
      assert.equal(node.address(), null);
    }));

  test("is bound to the port and host it is given, IPv6 included", () =>
    assertNothingLeft(async () => {
      const port = await freePort();
      const [four, six] = [new UtpNode(), new UtpNode()];
      assert.deepEqual(await four.bindP(port, "127.0.0.1"), { address: "127.0.0.1", family: "IPv4", port });
      await new Promise<void>((resolve) => six.bind(port, "::1", resolve));
      assert.deepEqual(six.address(), { address: "::1", family: "IPv6", port });
      await close(four, six);
    }));

  test("emits bound, then listening, whichever was called first", () =>
    assertNothingLeft(async () => {
      for (const order of [
        ["bind", "listen"],
        ["listen", "bind"],
      ] as const) {
        const node = new UtpNode();
        const events = notes(node, "bound", "listening", "close");
        for (const method of order) node[method]();
        await once(node, "listening");
        await node.closeP();
        assert.deepEqual(events, ["bound", "listening", "close"]);
      }
    }));

  test("that cannot be bound emits error, fails what waited, and can be bound again", () =>
    assertNothingLeft(async () => {
      const [first, node] = [await listening(), new UtpNode()];
      const connection = node.connect(portOf(first));
      const punched = node.punchP(1, portOf(first));
      const codes = Promise.all([failureCode(node), failureCode(connection), punched]);
      node.bind(portOf(first), "127.0.0.1");
      assert.deepEqual(await codes, ["EADDRINUSE", "EADDRINUSE", false]);
      await assert.rejects(node.bindP(portOf(first), "127.0.0.1"), { code: "EADDRINUSE" });
      await assert.rejects(node.bindP(65_536), { code: "ERR_SOCKET_BAD_PORT" });
      await assert.rejects(node.bindP(0, "5.0.0.1"), { code: "EADDRNOTAVAIL" });
      await node.bindP(0, "127.0.0.1");
      await close(node, first);
    }));

  test("gives its callback the connection it returned, and counts both kinds", () =>
    assertNothingLeft(async () => {
      const [server, client] = [await listening(), new UtpNode().bind()];
      const connections = [1, 2, 3].map(
        () =>
          new Promise<Connection>((resolve) => {
            const returned = client.connect(portOf(server), "127.0.0.1", (given) => {
              assert.equal(given, returned);
              resolve(given);
            });
            assert.ok(returned.connecting);
          }),
      );
      assert.equal(client.clientConnections, 3);
      const [one, ...others] = await Promise.all(connections);
      while (server.serverConnections < 3) await once(server, "connection");
      assert.deepEqual([server.serverConnections, server.clientConnections], [3, 0]);
      assert.deepEqual([client.serverConnections, client.clientConnections], [0, 3]);
      assert.equal(await readAll(one!.end("one")), "one");
      assert.equal(client.clientConnections, 2);
      for (const other of others) other.resume();
      await close(client, server);
      assert.deepEqual([server.serverConnections, client.clientConnections], [0, 0]);
    }));

  test("is server and client at once on one port", () =>
    assertNothingLeft(async () => {
      const nodes = await Promise.all([listening(), listening(), listening()]);
      const talks = nodes.flatMap((from) =>
        nodes.map(async (to) => {
          const connection = await from.connectP(portOf(to));
          assert.equal(connection.localPort, portOf(from));
          return readAll(connection.end(`${portOf(from)} to ${portOf(to)}`));
        }),
      );
      const expected = nodes.flatMap((from) => nodes.map((to) => `${portOf(from)} to ${portOf(to)}`));
      assert.deepEqual(await Promise.all(talks), expected);
      await close(...nodes);
    }));

  test("refuses what is above maxConnections, and connections while it does not listen", () =>
    assertNothingLeft(async () => {
      const [server, client] = [await listening(), new UtpNode().bind()];
      assert.equal(server.maxConnections, 32_768);
      server.maxConnections = 1;
      const first = await client.connectP(portOf(server));
      first.write("x");
      await once(first, "data");
      await assert.rejects(client.connectP(portOf(server)), { code: "ECONNREFUSED" });
      await assert.rejects(server.connectP(portOf(client)), { code: "ECONNREFUSED" });
      await close(client, server);
    }));

  test("rejects connectP with what error would say, and after close with what net says", () =>
    assertNothingLeft(async () => {
      const node = new UtpNode().bind();
      await assert.rejects(node.connectP(65_536), { code: "ERR_SOCKET_BAD_PORT" });
      await assert.rejects(node.connectP(80, "::1"), { code: "EAFNOSUPPORT" });
      const silent = await boundSocket();
      const waiting = node.connectP(silent.address().port);
      const rejected = assert.rejects(waiting, { code: "ERR_SOCKET_CLOSED_BEFORE_CONNECTION" });
      await node.closeP();
      await rejected;
      silent.close();
    }));

  test("tells of a silent peer: timeout on the connection and the node, then an error that needs no listener", () =>
    assertNothingLeft(async () => {
      const silent = await boundSocket();
      const node = new UtpNode({ timeout: 50 }).bind();
      const order: unknown[] = [];
      node.on("timeout", (connection) => order.push(["node", connection === dialled]));
      const dialled = node.connect(silent.address().port);
      dialled.on("timeout", () => order.push("connection"));
      const hadError = await new Promise((resolve) => dialled.once("close", resolve));
      assert.equal(hadError, true);
      assert.equal((dialled.errored as NodeJS.ErrnoException).code, "ETIMEDOUT");
      assert.deepEqual(order, ["connection", ["node", true]]);
      await assert.rejects(node.connectP(silent.address().port), { code: "ETIMEDOUT" });
      await node.closeP();
      silent.close();
    }));
});

describe("closing a node", () => {
  test("brings all that was written on every connection, and an end to both sides", () =>
    assertNothingLeft(async () => {
      const payload = randomBytes(200_000);
      const server = await listening((connection) => void connection.write(payload));
      const client = new UtpNode().bind();
      const reads = Array.from({ length: 20 }, async () => {
        const connection = await client.connectP(portOf(server));
        const chunks: Buffer[] = [];
        for await (const chunk of connection) chunks.push(chunk);
        return Buffer.concat(chunks).equals(payload);
      });
      while (server.serverConnections < 20) await once(server, "connection");
      await server.closeP();
      assert.deepEqual(await Promise.all(reads), Array(20).fill(true));
      await client.closeP();
    }));

  test("does not wait for readers that nobody has attached", () =>
    assertNothingLeft(async () => {
      const server = await listening(() => {});
      const client = new UtpNode().bind();
      const connection = await client.connectP(portOf(server));
      connection.write("never read");
      await once(server, "connection");
      const closing = server.closeP();
      connection.resume();
      await closing;
      await client.closeP();
    }));

  test("drops dials and punches that are under way, and what waits for a bind", () =>
    assertNothingLeft(async () => {
      const silent = await boundSocket();
      const { port } = silent.address();
      const bound = new UtpNode();
      await bound.bindP();
      for (const node of [bound, new UtpNode().bind(), new UtpNode()]) {
        const connection = node.connect(port, () => assert.fail("it connected"));
        const events = notes(connection, "error", "close");
        const punched = node.punchP(10, port);
        await Promise.all([node.closeP(), closed(connection)]);
        assert.deepEqual(events, ["close"]);
        assert.equal(await punched, false);
      }
      silent.close();
    }));

  test("in the middle of a bind closes after it", () =>
    assertNothingLeft(async () => {
      const node = new UtpNode();
      const events = notes(node, "bound", "listening", "error", "close");
      node.bind().listen();
      await node.closeP();
      assert.deepEqual(events, ["close"]);
    }));

  test("frees the port", () =>
    assertNothingLeft(async () => {
      const port = await freePort();
      for (let i = 0; i < 5; i++) {
        const node = new UtpNode(echo);
        await node.bindP(port, "127.0.0.1");
        await node.listenP();
        assert.equal(await readAll(connect(port).end(`${i}`)), `${i}`);
        await node.closeP();
      }
    }));
});

describe("a punch", () => {
  test("is answered by any node that is bound, on the loopback by default", () =>
    assertNothingLeft(async () => {
      const [a, b] = [new UtpNode().bind(), new UtpNode()];
      const { port } = await b.bindP(0, "127.0.0.1");
      assert.equal(await a.punchP(1, port), true);
      assert.equal(await new Promise((resolve) => a.punch(1, port, resolve)), true);
      assert.equal(await new Promise((resolve) => a.punch(1, `${port}`, "127.0.0.1", resolve)), true);
      await close(a, b);
    }));

  test("that nobody answers is exactly as many datagrams as attempts, and false", () =>
    assertNothingLeft(async () => {
      const silent = await boundSocket();
      const heard: Buffer[] = [];
      silent.on("message", (data) => heard.push(data));
      const node = new UtpNode().bind();
      const { port } = silent.address();
      assert.deepEqual(await Promise.all([node.punchP(0, port), node.punchP(3, port)]), [false, false]);
      assert.equal(heard.length, 3);
      for (const data of heard) assert.equal(data.length, 16);
      await node.closeP();
      silent.close();
    }));

  test("to a name that nobody knows is false", () =>
    assertNothingLeft(async () => {
      const node = new UtpNode().bind();
      assert.equal(await node.punchP(5, 80, "::1"), false);
      await node.closeP();
    }));

  test("leaves connections of the same two nodes alone", () =>
    assertNothingLeft(async () => {
      const [server, client] = [await listening(), new UtpNode().bind()];
      const connection = await client.connectP(portOf(server));
      const text = "t".repeat(1_000_000);
      const reading = readAll(connection.end(text));
      const punches = Array.from({ length: 20 }, () => client.punchP(3, portOf(server)));
      assert.deepEqual(await Promise.all(punches), Array(20).fill(true));
      assert.equal((await reading) === text, true);
      await close(client, server);
    }));
});
