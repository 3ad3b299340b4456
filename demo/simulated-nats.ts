import { createHash } from "node:crypto";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { fingerprint, net, signaling, transports } from "1tp";
import { serveStun } from "../src/host/stun-port.ts";
import { home } from "../test/kit/network/home.ts";
import { Network } from "../test/kit/network.ts";
import type { EchoResult } from "./echo.ts";

/** How much of the file is sent: every packet of it is simulated. */
const FILE_BYTES = 2 ** 20;

/** Most homes. */
const NAT = {
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
  ports: "random",
} as const;

/** The echo between two homes of the simulated internet, 40 ms from each other, by `udp-punch`. */
export async function echoThroughSimulatedNats(path: string): Promise<EchoResult> {
  const network = new Network();
  const internet = network.segment({ name: "internet", hops: 8, link: { latency: 10 } });
  const stun = network.host({ name: "stun" });
  stun.attach(internet, { addresses: ["5.9.0.1"] });
  serveStun([await stun.runtime.bindDatagram!({ address: "5.9.0.1", port: 3478 })], stun.runtime);
  const [there, here] = ["5.0.0.1", "5.0.0.2"].map(
    (outer) => home(network, { name: outer, uplink: internet, outer: [outer], nat: NAT }).host.runtime,
  );
  const meeting = new signaling.local();
  const punch = () => new transports["udp-punch"]({ signaling: meeting, stunServers: ["stun:5.9.0.1"] });
  const head = await readHead(path);
  return network.clock.run(async () => {
    const server = net.createServer([punch()], { runtime: there! }, (socket) => void socket.pipe(socket));
    const info = await server.listenP();
    const began = network.clock.now();
    const socket = await new net.Socket([punch()], { runtime: here! }).connectP(info);
    const connectMs = network.clock.now() - began;
    const received = createHash("sha256");
    let bytes = 0;
    socket.on("data", (chunk: Uint8Array) => {
      bytes += chunk.length;
      received.update(chunk);
    });
    const start = network.clock.now();
    socket.end(head);
    await once(socket, "close");
    await server.closeP();
    return {
      endpoint: "two NATs, simulated",
      connectMs,
      bytes,
      megabytesPerSecond: bytes / 1e3 / (network.clock.now() - start),
      sent: createHash("sha256").update(head).digest("hex"),
      received: received.digest("hex"),
      fingerprint: socket.remotePublicKey === undefined ? "" : fingerprint(socket.remotePublicKey),
    };
  });
}

async function readHead(path: string): Promise<Buffer> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(FILE_BYTES), 0, FILE_BYTES);
  return buffer.subarray(0, bytesRead);
}
