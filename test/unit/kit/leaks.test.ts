import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { watch } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { activeResources, assertNothingLeft } from "../../kit/leaks.ts";

/** Runs what leaks, gives the complaint, and closes the leak. */
async function complaint(leak: () => Promise<() => void>): Promise<string> {
  let close = () => {};
  const error = await assertNothingLeft(
    async () => {
      close = await leak();
    },
    { patience: 0 },
  ).catch((thrown: unknown) => thrown);
  close();
  assert.ok(error instanceof Error, "nothing was found");
  return error.message;
}

async function boundSocket() {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

test("a body that closes everything passes, sockets, servers and timers included", async () => {
  await assertNothingLeft(async () => {
    const udp = await boundSocket();
    const server = createServer((socket) => socket.end("bye")).listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    client.resume();
    await once(client, "end");
    clearTimeout(setTimeout(() => {}, 60_000));
    client.destroy();
    server.close();
    udp.close();
  });
});

test("a forgotten UDP socket is told together with the place it was opened at", async () => {
  const message = await complaint(async () => {
    const socket = await boundSocket();
    return () => socket.close();
  });
  assert.match(message, /^left open:\nUDPWRAP\n.*boundSocket.*leaks\.test\.ts/);
});

test("an unref'd socket and an unref'd timer are found as well", async () => {
  const socketMessage = await complaint(async () => {
    const socket = await boundSocket();
    socket.unref();
    return () => socket.close();
  });
  assert.match(socketMessage, /UDPWRAP/);
  const timerMessage = await complaint(async () => {
    const timer = setTimeout(() => {}, 60_000).unref();
    return () => clearTimeout(timer);
  });
  assert.match(timerMessage, /Timeout\n.*leaks\.test\.ts/);
});

test("a listening server and both ends of a connection are found", async () => {
  const message = await complaint(async () => {
    const accepted: Socket[] = [];
    const server = createServer((socket) => accepted.push(socket)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    await once(client, "connect");
    return () => {
      client.destroy();
      for (const socket of accepted) socket.destroy();
      server.close();
    };
  });
  assert.match(message, /TCPSERVERWRAP/);
  assert.match(message, /TCPWRAP/);
});

test("a watcher is found", async () => {
  const message = await complaint(async () => {
    const watcher = watch(tmpdir());
    return () => watcher.close();
  });
  assert.match(message, /FSEVENTWRAP/);
});

test("what was open before is nobody's leak", async () => {
  const socket = await boundSocket();
  await assertNothingLeft(() => {});
  assert.ok((activeResources().get("UDPWrap") ?? 0) >= 1);
  socket.close();
});

test("what closes a few turns later is waited for", async () => {
  await assertNothingLeft(async () => {
    const socket = await boundSocket();
    let turns = 20;
    const later = () => {
      if (--turns > 0) setImmediate(later);
      else socket.close();
    };
    later();
  });
});

test("the body's own failure is passed on", async () => {
  const failing = assertNothingLeft(async () => {
    throw new Error("mine");
  });
  await assert.rejects(failing, /^Error: mine$/);
});
