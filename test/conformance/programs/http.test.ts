import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import { Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { describe, type TestContext, test } from "node:test";
import { meet, type Rendezvous, ROADS, type Road } from "./rendezvous.ts";

/** More than all buffers on the way together. */
const LARGE = randomBytes(8 << 20);

/** An http server behind a 1tp server. */
function serve(t: TestContext, road: Road, listener: http.RequestListener) {
  const web = http.createServer(listener);
  t.after(() => web.close());
  return meet(t, road, (socket) => web.emit("connection", socket), { allowHalfOpen: true });
}

/** An agent whose connections are 1tp's. */
function agentOf(t: TestContext, { dial }: Rendezvous, options: http.AgentOptions = {}): http.Agent {
  const agent = new http.Agent(options);
  Object.assign(agent, { createConnection: () => dial() });
  t.after(() => agent.destroy());
  return agent;
}

async function respond(request: http.ClientRequest): Promise<http.IncomingMessage> {
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  return response;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

for (const road of ROADS) {
  describe(`http over ${road.name}`, () => {
    test("a request without an agent gets its response and both sockets close", async (t) => {
      const meeting = await serve(t, road, (request, response) => response.end(`you want ${request.url}`));
      const socket = meeting.dial();
      const request = http.get({ path: "/this", createConnection: () => socket });
      const response = await respond(request);
      assert.equal(response.statusCode, 200);
      assert.equal(await text(response), "you want /this");
      if (!socket.closed) await once(socket, "close");
    });

    test("a large upload arrives whole", async (t) => {
      const meeting = await serve(t, road, async (request, response) => {
        response.end(sha256(await buffer(request)));
      });
      const request = http.request({ method: "POST", agent: agentOf(t, meeting) });
      const response = respond(request);
      await pipeline(Readable.from([LARGE.subarray(0, 5 << 20), LARGE.subarray(5 << 20)]), request);
      assert.equal(await text(await response), sha256(LARGE));
    });

    test("a large download arrives whole", async (t) => {
      const meeting = await serve(t, road, (_request, response) => {
        response.writeHead(200, { "content-length": LARGE.length });
        response.end(LARGE);
      });
      const response = await respond(http.get({ agent: agentOf(t, meeting) }));
      assert.equal(sha256(await buffer(response)), sha256(LARGE));
    });

    test("a reader that stops and goes on gets all of a download", async (t) => {
      const meeting = await serve(t, road, (_request, response) => response.end(LARGE));
      const response = await respond(http.get({ agent: agentOf(t, meeting) }));
      const hash = createHash("sha256");
      for await (const chunk of response) {
        hash.update(chunk);
        await new Promise(setImmediate);
      }
      assert.equal(hash.digest("hex"), sha256(LARGE));
    });

    test("a keep-alive agent puts requests one after another on one connection", async (t) => {
      const meeting = await serve(t, road, (request, response) => response.end(request.url));
      const agent = agentOf(t, meeting, { keepAlive: true, maxSockets: 1 });
      for (const path of ["/one", "/two", "/three"]) {
        assert.equal(await text(await respond(http.get({ agent, path }))), path);
      }
      assert.equal(meeting.accepted.length, 1);
    });

    test("requests at once get a connection each", async (t) => {
      const meeting = await serve(t, road, (request, response) => response.end(request.url));
      const agent = agentOf(t, meeting, { keepAlive: true });
      const paths = ["/a", "/b", "/c", "/d"];
      const answers = paths.map(async (path) => text(await respond(http.get({ agent, path }))));
      assert.deepEqual(await Promise.all(answers), paths);
      assert.equal(meeting.accepted.length, paths.length);
    });

    test("a request that is destroyed closes the server's side", async (t) => {
      let served: http.ServerResponse | undefined;
      const meeting = await serve(t, road, (_request, response) => {
        served = response;
        response.write("the first part");
      });
      const request = http.get({ agent: agentOf(t, meeting) });
      const response = await respond(request);
      await once(response, "data");
      assert.ok(served);
      const closed = once(served, "close");
      request.on("error", () => {}).destroy();
      await closed;
      assert.equal(served.writableFinished, false);
    });

    test("a socket hang-up by the server is ECONNRESET at the client", async (t) => {
      const meeting = await serve(t, road, (request) => request.socket.destroy());
      const request = http.get({ agent: agentOf(t, meeting) });
      const [error] = await once(request, "error");
      assert.equal(error.code, "ECONNRESET");
    });

    test("a request that nobody answers times out", async (t) => {
      const meeting = await serve(t, road, () => {});
      const request = http.get({ agent: agentOf(t, meeting), timeout: 20 });
      await once(request, "timeout");
      request.on("error", () => {}).destroy();
    });

    test("the server's keepAliveTimeout closes an idle connection", async (t) => {
      const web = http.createServer({ keepAliveTimeout: 20 }, (_request, response) => response.end("x"));
      t.after(() => web.close());
      const onConnection = (socket: unknown) => web.emit("connection", socket);
      const meeting = await meet(t, road, onConnection, { allowHalfOpen: true });
      const socket = meeting.dial();
      const agent = new http.Agent({ keepAlive: true });
      Object.assign(agent, { createConnection: () => socket });
      const closed = once(socket, "close");
      await text(await respond(http.get({ agent })));
      await closed;
    });

    test("Expect: 100-continue is answered before the body", async (t) => {
      const meeting = await serve(t, road, async (request, response) => response.end(await text(request)));
      const request = http.request({
        method: "PUT",
        agent: agentOf(t, meeting),
        headers: { expect: "100-continue" },
      });
      request.flushHeaders();
      await once(request, "continue");
      request.end("the body");
      assert.equal(await text(await respond(request)), "the body");
    });

    test("an upgraded connection carries bytes both ways", async (t) => {
      const web = http.createServer();
      t.after(() => web.close());
      web.on("upgrade", (_request, socket, head) => {
        socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello,",
        );
        socket.write(head);
        socket.pipe(socket);
      });
      const onConnection = (socket: unknown) => web.emit("connection", socket);
      const meeting = await meet(t, road, onConnection, { allowHalfOpen: true });
      const request = http.get({
        agent: agentOf(t, meeting),
        headers: { connection: "upgrade", upgrade: "echo" },
      });
      const [, socket, head] = await once(request, "upgrade");
      socket.unshift(head);
      socket.end("echo");
      assert.equal(await text(socket), "hello,echo");
    });

    test("requests of http/2 share one connection", async (t) => {
      const web = http2.createServer((request, response) => void request.pipe(response));
      t.after(() => web.close());
      const onConnection = (socket: unknown) => web.emit("connection", socket);
      const meeting = await meet(t, road, onConnection, { allowHalfOpen: true });
      const session = http2.connect("http://1tp", { createConnection: () => meeting.dial() });
      t.after(() => session.destroy());
      const bodies = ["one", "two", sha256(LARGE).repeat(10_000)];
      const answers = bodies.map((body) => text(session.request({ ":method": "POST" }).end(body)));
      assert.deepEqual(await Promise.all(answers), bodies);
      assert.equal(meeting.accepted.length, 1);
    });
  });
}
