/** A process between the two of a bench: `registrar` or `bare`, as its argument says. Tells where it is, ends with its starter. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { createRegistrar } from "../../signaling/registrar/index.ts";

/** What waits for one side before the other is paused (chosen: several windows). */
const HIGH_WATER = 1 << 20;

process.on("disconnect", () => process.exit());
process.send?.(process.argv[2] === "registrar" ? await startRegistrar() : await startBare());

async function startRegistrar(): Promise<string> {
  const limits = { relayRate: 1e12, relayRatePerConnection: 1e12, relayBytes: 1e15, relayFrameRate: 1e9 };
  return (await createRegistrar({ host: "127.0.0.1", stun: false, limits })).url;
}

/** Joins each socket that asks for `/near` with one that asks for `/far`. */
async function startBare(): Promise<string> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  const waiting: { socket: WebSocket; path: string }[] = [];
  server.on("connection", (socket, { url = "" }) => {
    socket.on("error", () => {});
    const at = waiting.findIndex(({ path }) => path !== url);
    if (at < 0) waiting.push({ socket, path: url });
    for (const { socket: peer } of at < 0 ? [] : waiting.splice(at, 1)) {
      carry(socket, peer);
      carry(peer, socket);
      for (const one of [socket, peer]) one.send("joined");
    }
  });
  await once(server, "listening");
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function carry(from: WebSocket, to: WebSocket): void {
  from.on("message", (message, binary) => {
    to.send(message, { binary }, () => {
      if (from.isPaused && to.bufferedAmount < HIGH_WATER) from.resume();
    });
    if (to.bufferedAmount >= HIGH_WATER) from.pause();
  });
  from.on("close", () => to.close());
}
