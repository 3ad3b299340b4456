import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { type ConnectionInfo, createIdentity, net, signaling, transports } from "1tp";
import { createRegistrar } from "../../../signaling/registrar/index.ts";
import { assertNothingLeft } from "../../kit/leaks.ts";

const LOCAL = { host: "127.0.0.1", stun: false, drainTimeout: 0 } as const;

/** A registrar and two endpoints with a signaling each. */
async function scene(options: { relay?: boolean } = {}) {
  const registrar = await createRegistrar({ ...LOCAL, ...options });
  const endpoints = [1, 2].map(() => {
    const own = new signaling.websocket({ url: registrar.url });
    return { own, relay: new transports.relay({ signaling: own }) };
  });
  const [here, there] = [endpoints[0]!, endpoints[1]!];
  return {
    here,
    there,
    registrar,
    async end() {
      await Promise.all([here, there].map(({ own }) => own.close()));
      await registrar.close();
    },
  };
}

test("a socket through a registrar is encrypted end to end, half-closes and knows its peer", () =>
  assertNothingLeft(async () => {
    const { here, there, registrar, end } = await scene();
    const server = net.createServer([there.relay], { allowHalfOpen: true }, (socket) => {
      socket.on("data", (chunk) => socket.write(chunk)).on("end", () => socket.end("bye"));
    });
    const [entry] = await server.listenP();
    assert.equal(entry!.transportType, "relay");
    assert.equal(entry!.transportInfo.url, registrar.url);
    const identity = await createIdentity();
    const accepted = once(server, "connection");
    const socket = await new net.Socket([here.relay], { identity }).connectP([entry!]);
    let heard = "";
    socket.setEncoding("utf8").on("data", (text) => {
      heard += text;
    });
    socket.end("hello ".repeat(50_000));
    await once(socket, "close");
    assert.equal(heard, `${"hello ".repeat(50_000)}bye`);
    const [served] = await accepted;
    assert.equal(socket.remotePublicKey, entry!.publicKey);
    assert.equal(served.remotePublicKey, identity.publicKey);
    assert.deepEqual(served.remoteAddress.transportInfo, { address: "127.0.0.1" });
    await server.closeP();
    await end();
  }));

test("a server with another key than the entry's is refused, and a registrar that does not relay named", () =>
  assertNothingLeft(async () => {
    const { here, there, end } = await scene();
    const server = net.createServer([there.relay]);
    const info = await server.listenP();
    const { publicKey } = await createIdentity();
    const forged: ConnectionInfo = info.map((entry) => ({ ...entry, publicKey }));
    const refused = new net.Socket([here.relay], { connectTimeout: 2_000 }).connectP(forged);
    await assert.rejects(refused, { code: "ERR_1TP_PEER_MISMATCH" });
    await server.closeP();
    await end();
    const without = await scene({ relay: false });
    const listening = net.createServer([without.there.relay]);
    const entries = await listening.listenP();
    const dial = new net.Socket([without.here.relay]).connectP(entries);
    await assert.rejects(dial, { code: "ERR_1TP_UNSUPPORTED" });
    await listening.closeP();
    await without.end();
  }));
