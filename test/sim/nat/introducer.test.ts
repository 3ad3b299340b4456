import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { createConnection, createIdentity, createServer, IntroducerSignaling } from "1tp";
import { UdpTransport } from "../../../transports/udp/index.ts";
import { UdpPunchTransport } from "../../../transports/udp-punch/index.ts";
import type { Host } from "../../kit/network/host.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { EASY, Internet } from "./punching.ts";

/** Somebody at home who is connected to the introducer. */
async function join({ runtime }: Host, info: Parameters<typeof createConnection>[0]) {
  const identity = createIdentity();
  const link = createConnection(info, [new UdpTransport()], { identity, runtime });
  await once(link, "connect");
  const signaling = new IntroducerSignaling(link);
  const punch = new UdpPunchTransport({ signaling });
  return { identity, link, signaling, punch, options: { identity, runtime } };
}

test("two peers behind NATs punch with nobody's help but an introducer's, which sees none of their bytes", () =>
  forEachSeed(3, async (seed, trace) => {
    const internet = await Internet.open({ seed, trace });
    const { clock } = internet.network;
    const third = internet.publicHost("third", "5.0.0.9");
    await clock.run(async () => {
      const introducer = createServer([new UdpTransport()], { introduce: true, runtime: third.runtime });
      const sockets: { bytesRead: number; destroy(): void }[] = [];
      introducer.on("connection", (socket) => sockets.push(socket));
      const info = await introducer.listenP();
      const alice = await join(internet.home("alice", "5.0.0.1", EASY).host, info);
      const bob = await join(internet.home("bob", "5.0.0.2", EASY).host, info);
      assert.deepEqual(await alice.signaling.services(), {
        stun: [`stun:5.0.0.9:${info[0]!.transportInfo.port}`],
        turn: [],
        observedAddress: "5.0.0.1",
      });
      const server = createServer([alice.punch], alice.options, (socket) => socket.pipe(socket));
      const socket = createConnection(await server.listenP(), [bob.punch], bob.options);
      socket.write("straight");
      const [echo] = await once(socket, "data");
      assert.equal(String(echo), "straight");
      assert.equal(socket.remotePublicKey, alice.identity.publicKey);
      assert.equal(socket.report[0]?.outcome, "won");
      assert.deepEqual(
        sockets.map(({ bytesRead }) => bytesRead),
        [0, 0],
      );
      server.close();
      socket.destroy();
      for (const each of [alice.link, bob.link, ...sockets]) each.destroy();
      introducer.close();
      await Promise.all([once(server, "close"), once(introducer, "close")]);
      await internet.pass(60_000);
      const left = internet.network.openSockets().filter((name) => !name.startsWith("stun "));
      assert.deepEqual(left, []);
    }, 300_000);
  }));
