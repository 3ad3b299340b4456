import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { WebSocket } from "ws";
import { webSockets } from "#platform";
import { assertNothingLeft } from "../../kit/leaks.ts";

const { listenWeb } = await webSockets();

/** A server on loopback and what comes to it, for the time of `body`. */
function serving(
  limits: { readonly maxConnectionsPerAddress?: number },
  body: (port: number, messages: (string | Uint8Array)[]) => Promise<void>,
): Promise<void> {
  return assertNothingLeft(async () => {
    const messages: (string | Uint8Array)[] = [];
    const server = await listenWeb({
      port: 0,
      host: "127.0.0.1",
      maxMessage: 65_536,
      answer: () => ({ status: 404, body: "" }),
      accept: () => ({ onMessage: (message) => void messages.push(message), onClose() {} }),
      ...limits,
    });
    try {
      await body(server.address.port, messages);
    } finally {
      await server.close();
    }
  });
}

test("a small message does not keep the chunk that it came in", () =>
  serving({}, async (port, messages) => {
    const client = new WebSocket(`ws://127.0.0.1:${port}`);
    const upgraded = once(client, "upgrade");
    await once(client, "open");
    const [{ socket }] = (await upgraded) as [{ socket: Socket }];
    socket.cork();
    for (const length of [1, 100, 20_000]) {
      client.send(new Uint8Array(length));
      for (let i = 0; i < 100; i++) client.pong(new Uint8Array(125));
    }
    socket.uncork();
    client.close();
    await once(client, "close");
    for (const message of messages) {
      assert.ok(message instanceof Uint8Array);
      assert.ok(
        message.buffer.byteLength <= 8 * message.length,
        `${message.length} of ${message.buffer.byteLength}`,
      );
    }
    assert.equal(messages.length, 3);
  }));

test("who has as many connections as one address may is ended at once, also before it says anything", () =>
  serving({ maxConnectionsPerAddress: 2 }, async (port) => {
    const sockets: Socket[] = [];
    const open = async (): Promise<Socket> => {
      const socket = connect(port, "127.0.0.1").on("error", () => {});
      sockets.push(socket);
      await once(socket, "connect");
      return socket;
    };
    const first = await open();
    await open();
    const third = await open();
    third.resume();
    await once(third, "close");
    first.end().resume();
    await once(first, "close");
    const fourth = await open();
    fourth.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const [answer] = await once(fourth, "data");
    assert.match(String(answer), /^HTTP\/1.1 404/);
    for (const socket of sockets) socket.destroy();
  }));
