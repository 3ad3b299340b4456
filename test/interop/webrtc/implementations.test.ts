import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import {
  createConnection,
  createServer,
  formatReport,
  LocalSignaling,
  type WebRtc,
  WebRtcTransport,
} from "../../../src/index.ts";
import { startCoturn, USER } from "../turn/scene.ts";

const require = createRequire(new URL("../package.json", import.meta.url));
const datachannel = require("node-datachannel/polyfill") as WebRtc;

const IMPLEMENTATIONS = { wrtc: undefined, "node-datachannel": datachannel } as const;
type Name = keyof typeof IMPLEMENTATIONS;

function transport(name: Name): WebRtcTransport {
  const wrtc = IMPLEMENTATIONS[name];
  return new WebRtcTransport({
    signaling: new LocalSignaling(),
    config: { iceServers: [] },
    ...(wrtc ? { wrtc } : {}),
  });
}

const sum = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** Sends what an echo server gets from one implementation to the other and back, half-closed in between. */
async function echo(dialling: Name, accepting: Name): Promise<void> {
  const server = createServer([transport(accepting)], { allowHalfOpen: true }, (socket) =>
    socket.pipe(socket),
  );
  const socket = createConnection(await server.listenP(), [transport(dialling)], { allowHalfOpen: true });
  const data = randomBytes(4 << 20);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk)).end(data);
  await once(socket, "close");
  assert.equal(sum(Buffer.concat(chunks)), sum(data));
  assert.match(formatReport(socket.report), /won, direct \(\w+ to \w+\)$/);
  await server.closeP();
}

describe("webrtc between implementations", { concurrency: false }, () => {
  for (const dialling of Object.keys(IMPLEMENTATIONS) as Name[]) {
    for (const accepting of Object.keys(IMPLEMENTATIONS) as Name[]) {
      test(`${dialling} dials ${accepting}: 4 MiB are echoed after a half-close`, { timeout: 60_000 }, () =>
        echo(dialling, accepting),
      );
    }
  }
});

test("webrtc through coturn says that it is relayed", { timeout: 60_000 }, async () => {
  const coturn = await startCoturn();
  const url = `turn:127.0.0.1:${coturn.ports[0]}`;
  const { turnUsername: username, turnPassword: credential } = USER;
  const relayed = (): WebRtcTransport =>
    new WebRtcTransport({
      signaling: new LocalSignaling(),
      config: { iceTransportPolicy: "relay", iceServers: [{ url, username, credential }] },
    });
  const server = createServer([relayed()], (socket) => socket.pipe(socket));
  const socket = createConnection(await server.listenP(), [relayed()]);
  socket.end("hello");
  const [data] = await once(socket, "data");
  assert.equal(`${data}`, "hello");
  await once(socket, "close");
  const path = socket.report[0]?.path;
  assert.deepEqual([path?.relayed, path?.local.type, path?.local.address], [true, "relay", "127.0.0.1"]);
  await server.closeP();
  await coturn.stop();
});
