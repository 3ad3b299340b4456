import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { createConnection, createIdentity, createServer, decodeTicket, encodeTicket, transports } from "1tp";
import { Network } from "../../kit/network.ts";
import { Relay } from "./relay.ts";
import { Scene } from "./scene.ts";
import { WIRES, type Wire } from "./wires.ts";
import { Witness } from "./witness.ts";

const sceneOf = (t: TestContext, wire: Wire): Scene => new Scene(t, wire, wire.place);

for (const wire of WIRES) {
  describe(`identities over ${wire.word}`, () => {
    test("stand in every entry of a server's connectionInfo", async (t) => {
      const identity = createIdentity();
      const stand = await sceneOf(t, wire).serve({ identity });
      assert.deepEqual([...new Set(stand.info.map(({ publicKey }) => publicKey))], [identity.publicKey]);
    });

    test("of two servers in one process are their own", async (t) => {
      const scene = sceneOf(t, wire);
      const [one, other] = [createIdentity(), createIdentity()];
      const stands = [await scene.serve({ identity: one }), await scene.serve({ identity: other })];
      for (const [i, { publicKey }] of [one, other].entries()) {
        const guest = scene.dial(stands[i]!.info);
        guest.socket.write("hello");
        await guest.hears("hello");
        assert.equal(guest.socket.remotePublicKey, publicKey);
      }
      const lost = scene.dial(stands[0]!.info.map((entry) => ({ ...entry, publicKey: other.publicKey })));
      assert.deepEqual(await lost.gone(), ["error ERR_1TP_PEER_MISMATCH", "close"]);
    });

    test("are one for a whole process that names none, servers and clients", async (t) => {
      const scene = sceneOf(t, wire);
      const [one, other] = [await scene.serve(), await scene.serve()];
      const { publicKey } = one.info[0]!;
      assert.equal(other.info[0]!.publicKey, publicKey);
      const guest = scene.dial(one.info);
      guest.socket.write("hello");
      await guest.hears("hello");
      assert.equal((await one.visitor()).socket.remotePublicKey, publicKey);
    });

    test("stay with a server that listens again", async (t) => {
      const { server, info } = await sceneOf(t, wire).serve({ identity: createIdentity() });
      await server.closeP();
      const again = await server.listenP(wire.place.listeningInfo);
      assert.equal(again[0]!.publicKey, info[0]!.publicKey);
    });

    test("go through a ticket and JSON", async (t) => {
      const scene = sceneOf(t, wire);
      const { info } = await scene.serve({ identity: createIdentity() });
      for (const handed of [decodeTicket(encodeTicket(info)), JSON.parse(JSON.stringify(info))]) {
        const guest = scene.dial(handed);
        guest.socket.end("hello");
        assert.equal(await guest.hears("hello"), "hello");
      }
    });

    test("show on a socket only while there is a session", async (t) => {
      const scene = sceneOf(t, wire);
      const plain = await scene.serve({ security: "none" });
      const guest = scene.dial(plain.info, { security: "none" });
      assert.equal(guest.socket.remotePublicKey, undefined);
      guest.socket.write("hello");
      await guest.hears("hello");
      assert.equal(guest.socket.remotePublicKey, undefined);
      assert.equal((await plain.visitor()).socket.remotePublicKey, undefined);
    });

    for (const [suite, helloByte] of [
      ["AESGCM", 0x10],
      ["ChaChaPoly", 0x11],
      ["a suite of the future", 0x10],
    ] as const) {
      test(`let a server ask for ${suite}`, async (t) => {
        const scene = sceneOf(t, wire);
        const { info } = await scene.serve();
        const relay = await Relay.open(scene, { ...info[0]!, suite });
        const guest = scene.dial(relay.info, {}, relay.transports);
        guest.socket.write("hello");
        await guest.hears("hello");
        assert.equal(relay.bytes("up")[0], helloByte);
      });
    }
  });
}

test("simulated hosts have an identity each", async () => {
  const network = new Network();
  const internet = network.segment({ name: "internet" });
  const hosts = [1, 2].map((i) => {
    const host = network.host({ name: `host ${i}` });
    host.attach(internet, { addresses: [`5.0.0.${i}`] });
    return host.runtime;
  });
  await network.clock.run(async () => {
    const server = createServer([new transports.udp()], { runtime: hosts[0]! }, (socket) =>
      socket.pipe(socket),
    );
    const info = await server.listenP();
    const guest = new Witness(createConnection(info, [new transports.udp()], { runtime: hosts[1]! }));
    const arrived = new Promise<Witness>((resolve) => {
      server.on("connection", (socket) => resolve(new Witness(socket)));
    });
    guest.socket.write("hello");
    await guest.hears("hello");
    const visitor = await arrived;
    assert.equal(guest.socket.remotePublicKey, info[0]!.publicKey);
    assert.notEqual(visitor.socket.remotePublicKey, info[0]!.publicKey);
    guest.socket.end();
    await guest.gone();
    await server.closeP();
  });
});
