import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { describe, test } from "node:test";
import * as utp from "1tp/utp";
import { UtpNode as Node } from "1tp/utp";
import { assertNothingLeft } from "../../kit/leaks.ts";
import { close, closed, freePort } from "./loopback.ts";

/** Stands in for the global one in the examples. */
function recorder() {
  const said: string[] = [];
  return { said, log: (line: string) => void said.push(line) };
}

describe("the examples of utp-punch", () => {
  test("general usage: hello, world, and both nodes close", () =>
    assertNothingLeft(async () => {
      const console = recorder();
      const port = await freePort();

      const server = new Node((socket) => {
        console.log("server: socket connected");
        socket.on("data", (data) => {
          console.log(`server: received '${data.toString()}'`);
          socket.write("world");
          socket.end();
        });
        socket.on("end", () => {
          console.log("server: socket disconnected");
          server.close();
        });
      });
      server.bind(port, "127.0.0.1");
      server.listen(() => console.log("server: ready"));

      const client = new Node();
      client.bind();
      client.connect(port, "127.0.0.1", (socket) => {
        console.log("client: socket connected");
        socket.on("data", (data) => console.log(`client: received '${data.toString()}'`));
        socket.on("end", () => {
          console.log("client: socket disconnected");
          client.close();
        });
        socket.write("hello");
      });

      await Promise.all([closed(server), closed(client)]);
      const by = (side: string): string[] => console.said.filter((line) => line.startsWith(side));
      assert.deepEqual(by("server"), [
        "server: ready",
        "server: socket connected",
        "server: received 'hello'",
        "server: socket disconnected",
      ]);
      assert.deepEqual(by("client"), [
        "client: socket connected",
        "client: received 'world'",
        "client: socket disconnected",
      ]);
    }));

  test("hole punching: both sides succeed and the client connects", () =>
    assertNothingLeft(async () => {
      const serverPort = await freePort();
      const clientPort = await freePort();
      const [serverAddress, clientAddress] = ["127.0.0.1", "127.0.0.1"];
      const punched: boolean[] = [];

      const server = new Node();
      server.bind(serverPort);
      server.listen();
      const client = new Node();
      client.bind(clientPort);

      server.punch(10, clientPort, clientAddress, (success) => {
        punched.push(success);
      });
      client.punch(10, serverPort, serverAddress, (success) => {
        punched.push(success);
        if (success) {
          client.connect(serverPort, serverAddress, (socket) => {
            socket.end("through the hole");
            socket.resume();
          });
          client.on("timeout", () => {
            assert.fail("the server had not failed");
          });
        }
      });

      const [socket] = await once(server, "connection");
      const [data] = await once(socket, "data");
      assert.equal(`${data}`, "through the hole");
      await close(server, client);
      assert.deepEqual(punched, [true, true]);
    }));

  test("hole punching: a peer that is gone is a timeout of the node, and nothing crashes", () =>
    assertNothingLeft(async () => {
      const silent = createSocket("udp4");
      silent.bind(0, "127.0.0.1");
      await once(silent, "listening");
      const client = new Node({ timeout: 100 });
      client.bind();
      const connection = client.connect(silent.address().port, "127.0.0.1", () =>
        assert.fail("nobody is there"),
      );
      const [timedOut] = await once(client, "timeout");
      assert.equal(timedOut, connection);
      await close(client);
      silent.close();
    }));
});

describe("the examples of utp", () => {
  test("usage: a client says hello world", () =>
    assertNothingLeft(async () => {
      const console = recorder();
      const port = await freePort();

      const server = utp.createServer((client) => {
        console.log("new connection!");
        client.on("data", (data) => {
          console.log(`client says ${data}`);
          client.end();
        });
      });

      server.listen(port, () => {
        const client = utp.connect(port, "localhost");
        client.resume();
        client.write("hello world");
        client.on("end", () => server.close());
      });

      await closed(server);
      assert.deepEqual(console.said, ["new connection!", "client says hello world"]);
    }));

  test("metadata: requests are told apart by it", () =>
    assertNothingLeft(async () => {
      const port = await freePort();
      const requests: string[] = [];

      const server = utp.createServer({ objectMode: true }, (utp) => {
        let currentRequest: string | null = null;
        let requestData: Buffer[] = [];
        utp.on("data", (buf) => {
          const meta = buf.meta.toString();
          if (currentRequest !== meta && requestData.length > 0) {
            const req = Buffer.concat(requestData);
            requests.push(`${currentRequest}: ${req}`);
            requestData = [];
          }
          currentRequest = meta;
          requestData.push(buf);
        });
        utp.on("end", () => requests.push(`${currentRequest}: ${Buffer.concat(requestData)}`));
      });
      await once(server.listen(port), "listening");

      const connection = utp.connect(port, "localhost", { objectMode: true });
      for (const [text, meta] of [
        ["GET ", "request-1"],
        ["/one", "request-1"],
        ["GET /two", "request-2"],
      ] as const) {
        const buffer: utp.MetaBytes = Buffer.from(text);
        buffer.meta = meta; // could be string or Buffer
        connection.write(buffer);
      }
      connection.end().resume();
      await closed(connection);
      await close(server);
      assert.deepEqual(requests, ["request-1: GET /one", "request-2: GET /two"]);
    }));
});
