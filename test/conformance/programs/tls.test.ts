import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import https from "node:https";
import { buffer, text } from "node:stream/consumers";
import { describe, test } from "node:test";
import tls from "node:tls";
import type { Socket } from "1tp";
import { selfSigned } from "./certificate.ts";
import { meet, ROADS } from "./rendezvous.ts";

const NAME = "onetp.test";
const { key, cert } = selfSigned(NAME);
const trusting = { ca: cert, servername: NAME };

/**
 * The server's role on a socket. On a stream that is not the kernel's, Node's tls writes its last records
 * after the stream's `end`: whoever answers after the peer's end has to allow half-open connections.
 */
function secure(socket: Socket): tls.TLSSocket {
  return new tls.TLSSocket(socket, { isServer: true, key, cert });
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await once(socket, "close");
}

for (const road of ROADS) {
  describe(`tls over ${road.name}`, () => {
    test("a megabyte is echoed and both ends close", async (t) => {
      const body = randomBytes(1 << 20);
      const echo = (socket: Socket) => {
        const server = secure(socket);
        server.pipe(server);
      };
      const meeting = await meet(t, road, echo, { allowHalfOpen: true });
      const socket = meeting.dial();
      const client = tls.connect({ socket, ...trusting });
      await once(client, "secureConnect");
      assert.equal(client.authorized, true);
      assert.match(client.getProtocol() ?? "", /^TLSv1/);
      client.end(body);
      assert.equal(body.compare(await buffer(client)), 0);
      await Promise.all([closed(socket), closed(meeting.accepted[0]!)]);
    });

    test("a tls server takes connections from a 1tp server", async (t) => {
      const server = tls.createServer({ key, cert, ALPNProtocols: ["echo"] }, (socket) =>
        socket.pipe(socket),
      );
      const onConnection = (socket: Socket) => server.emit("connection", socket);
      const meeting = await meet(t, road, onConnection, { allowHalfOpen: true });
      const client = tls.connect({ socket: meeting.dial(), ALPNProtocols: ["echo"], ...trusting });
      client.end("hello");
      assert.equal(await text(client), "hello");
      assert.equal(client.alpnProtocol, "echo");
    });

    test("a certificate that is not trusted is refused", async (t) => {
      const meeting = await meet(t, road, (socket) => secure(socket).on("error", () => {}));
      const socket = meeting.dial();
      const client = tls.connect({ socket, servername: NAME });
      const [error] = await once(client, "error");
      assert.equal(error.code, "DEPTH_ZERO_SELF_SIGNED_CERT");
      await closed(socket);
    });

    test("the server may ask for the client's certificate", async (t) => {
      const other = selfSigned("client.test");
      const names: unknown[] = [];
      const options = { key, cert, ca: other.cert, requestCert: true };
      const server = tls.createServer(options, (socket) => {
        names.push(socket.getPeerCertificate().subject.CN);
        socket.end("welcome");
      });
      const meeting = await meet(t, road, (socket) => server.emit("connection", socket));
      const client = tls.connect({ socket: meeting.dial(), ...trusting, ...other });
      assert.equal(await text(client), "welcome");
      assert.deepEqual(names, ["client.test"]);
    });

    test("a plain conversation turns into tls", async (t) => {
      const meeting = await meet(t, road, (socket) => {
        socket.once("data", (line) => {
          assert.equal(String(line), "STARTTLS\n");
          socket.write("GO\n");
          secure(socket).on("data", function (this: tls.TLSSocket, chunk) {
            this.end(`secretly: ${chunk}`);
          });
        });
      });
      const socket = meeting.dial();
      socket.write("STARTTLS\n");
      const [answer] = await once(socket, "data");
      assert.equal(String(answer), "GO\n");
      const client = tls.connect({ socket, ...trusting });
      client.write("psst");
      assert.equal(await text(client), "secretly: psst");
      client.end();
      await closed(socket);
    });

    test("a connection that is reset is an error of the tls socket", async (t) => {
      const meeting = await meet(t, road, (socket) => {
        const server = secure(socket);
        server.on("error", () => {}).once("data", () => socket.resetAndDestroy());
      });
      const client = tls.connect({ socket: meeting.dial(), ...trusting });
      client.write("are you there?");
      const [error] = await once(client, "error");
      assert.equal(error.code, "ECONNRESET");
    });

    test("https works over it", async (t) => {
      const web = https.createServer({ key, cert }, (request, response) => response.end(request.url));
      t.after(() => web.close());
      const meeting = await meet(t, road, (socket) => web.emit("connection", socket), {
        allowHalfOpen: true,
      });
      const createConnection = () => tls.connect({ socket: meeting.dial(), ...trusting });
      const request = https.get({ path: "/secret", createConnection });
      const [response] = await once(request, "response");
      assert.equal(await text(response), "/secret");
    });
  });
}
