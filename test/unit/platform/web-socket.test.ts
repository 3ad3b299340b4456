import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { WebSocket } from "ws";
import { webSockets } from "#platform";
import type { WebSocketLink } from "../../../src/contract/web-socket.ts";
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

test(
  "a close ends within seconds, though the peer has ended its side and reads nothing",
  { timeout: 20_000 },
  () =>
    assertNothingLeft(async () => {
      const links: WebSocketLink[] = [];
      let onGone!: () => void;
      const gone = new Promise<void>((resolve) => (onGone = resolve));
      const server = await listenWeb({
        port: 0,
        host: "127.0.0.1",
        maxMessage: 65_536,
        answer: () => ({ status: 404, body: "" }),
        accept(link) {
          links.push(link);
          return { onMessage() {}, onClose: onGone };
        },
      });
      const peer = connect({ port: server.address.port, host: "127.0.0.1", allowHalfOpen: true });
      peer.on("error", () => {});
      const key = Buffer.alloc(16).toString("base64");
      const head = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"];
      peer.write(`GET / HTTP/1.1\r\nHost: x\r\n${head.join("\r\n")}\r\nSec-WebSocket-Key: ${key}\r\n\r\n`);
      await once(peer, "readable");
      const [link] = links;
      assert.ok(link);
      while (link.buffered < 1_000_000) {
        link.send(new Uint8Array(65_536));
        await setImmediate();
      }
      peer.end();
      // The server hears of it before it answers what comes later.
      await once(connect(server.address.port, "127.0.0.1").end().resume(), "close");
      link.close(1000, "");
      await gone;
      peer.destroy();
      await server.close();
    }),
);
