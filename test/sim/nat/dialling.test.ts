import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf } from "../../../src/base/errors.ts";
import type { Endpoint } from "../../../src/contract/endpoint.ts";
import { EASY, HARD, Internet, type Peer } from "./punching.ts";

/** An entry under which somebody accepts dialogs and says nothing. */
async function register(peer: Peer): Promise<Endpoint> {
  const { address } = await peer.signaling.register({
    transportType: "udp-punch",
    onDialog: (dialog) => dialog.attach({ onSignal() {}, onClose() {} }),
  });
  return { transportType: "udp-punch", transportInfo: address };
}

/** What a client's dial rejects with, and when; nothing of it may be left. */
async function failure(
  internet: Internet,
  client: Peer,
  dial: () => Promise<unknown>,
): Promise<{ error: Error; took: number }> {
  const { clock } = internet.network;
  const began = clock.now();
  try {
    await dial();
  } catch (error) {
    const took = clock.now() - began;
    await internet.pass(60_000);
    const left = internet.network.openSockets().filter((socket) => socket.startsWith(client.host.name));
    assert.deepEqual(left, []);
    return { error: error as Error, took };
  }
  throw new Error("the dial was to fail");
}

test("a peer that takes the dialog and says nothing is waited for as long as one attempt may take", async () => {
  const internet = await Internet.open();
  const silent = internet.peer(internet.publicHost("silent", "5.0.0.1"), "5.0.0.1");
  for (const connectTimeout of [2000, 15_000]) {
    const client = internet.peer(
      internet.publicHost(`client${connectTimeout}`, `5.0.1.${connectTimeout / 1000}`),
      undefined,
      {
        connectTimeout,
      },
    );
    await internet.network.clock.run(async () => {
      const entry = await register(silent);
      const { error, took } = await failure(internet, client, () => client.dial(entry));
      assert.equal(codeOf(error), "ERR_1TP_PUNCH_FAILED");
      assert.match(error.message, /no time left/);
      assert.equal(took, connectTimeout);
    }, 200_000);
  }
});

test("a peer that leaves the dialog ends the dial at once", async () => {
  const internet = await Internet.open();
  const server = internet.peer(internet.publicHost("server", "5.0.0.1"), "5.0.0.1");
  const client = internet.peer(internet.publicHost("client", "5.0.0.2"), "5.0.0.2");
  await internet.network.clock.run(async () => {
    const { address } = await server.signaling.register({
      transportType: "udp-punch",
      onDialog: (dialog) => dialog.close(),
    });
    const entry = { transportType: "udp-punch", transportInfo: address };
    const { error, took } = await failure(internet, client, () => client.dial(entry));
    assert.equal(codeOf(error), "ERR_1TP_PUNCH_FAILED");
    assert.match(error.message, /the peer has left/);
    assert.ok(took < 1000);
  }, 200_000);
});

test("an abort at any time rejects with its reason and leaves nothing behind", async () => {
  for (const ms of [0, 10, 30, 50, 70, 90, 110, 300, 700, 2000]) {
    const internet = await Internet.open();
    const server = internet.peer(internet.home("server", "5.0.0.1", HARD).host, "5.0.0.1");
    const client = internet.peer(internet.home("client", "5.0.0.2", HARD).host, "5.0.0.2");
    await internet.network.clock.run(async () => {
      const listener = await server.listen();
      await internet.pass(500);
      const controller = new AbortController();
      const reason = new Error("never mind");
      const { error } = await failure(internet, client, () => {
        const dial = client.dial(listener.endpoints[0]!, { signal: controller.signal });
        internet.network.clock.setTimer(internet.network.clock.now() + ms, () => controller.abort(reason));
        return dial;
      });
      assert.equal(error, reason, `after ${ms} ms`);
      await listener.close();
    }, 200_000);
  }
});

test("both ends know their own and the other's address, and the report which kind of way it is", async () => {
  const internet = await Internet.open();
  const server = internet.peer(internet.home("server", "5.0.0.1", EASY).host, "5.0.0.1");
  const client = internet.peer(
    internet.home("client", "5.0.0.2", EASY, { inner: ["192.168.7.1/24"] }).host,
    "5.0.0.2",
  );
  await internet.network.clock.run(async () => {
    const listener = await server.listen();
    await internet.pass(500);
    const channel = await client.dial(listener.endpoints[0]!);
    channel.write(Uint8Array.of(1));
    await internet.pass(500);
    const [accepted] = server.accepted;
    assert.deepEqual(channel.remote, listener.endpoints[0]);
    assert.equal(channel.local?.transportInfo.address, "192.168.7.2");
    assert.equal(accepted?.remote.transportInfo.address, "5.0.0.2");
    assert.equal(accepted?.local?.transportInfo.address, "192.168.1.2");
    assert.equal(channel.path?.relayed, false);
    assert.deepEqual([channel.path?.remote.type, channel.path?.remote.address], ["srflx", "5.0.0.1"]);
    channel.abort();
    await listener.close();
    await internet.pass(60_000);
  }, 200_000);
});

test("neither side of a punch sends where its user forbids it, and the error says so", async () => {
  for (const forbidding of ["dial", "listen"] as const) {
    const internet = await Internet.open();
    // Two in one home, who would find each other by their private addresses.
    const { hosts } = internet.home("home", "5.0.0.1", EASY, { hosts: 2 });
    const [server, client] = hosts.map((host) => internet.peer(host, undefined));
    assert.ok(server && client);
    const sent = new Set<string>();
    const who = (forbidding === "dial" ? client : server).host.name;
    internet.network.observer = ({ kind, where, packet }) => {
      if (kind === "sent" && where === who) sent.add(packet.target.address);
    };
    const policy = { mayDial: (address: string) => !address.startsWith("192.168.") };
    await internet.network.clock.run(async () => {
      const listener = await server.listen(forbidding === "listen" ? policy : {});
      const dial = () => client.dial(listener.endpoints[0]!, forbidding === "dial" ? policy : {});
      const { error } = await failure(internet, client, dial);
      assert.equal(codeOf(error), "ERR_1TP_PUNCH_FAILED");
      if (forbidding === "dial") assert.match(error.message, /addresses that are forbidden here/);
      assert.deepEqual(
        [...sent].filter((address) => address.startsWith("192.168.")),
        [],
      );
      await listener.close();
    }, 200_000);
  }
});

test("STUN servers that have moved with their registrar are found again when the old ones do not answer", async () => {
  const internet = await Internet.open();
  const [before, after] = [["stun:5.9.0.9"], internet.point.stun];
  const server = internet.peer(internet.home("server", "5.0.0.1", EASY).host, undefined);
  const client = internet.peer(internet.home("client", "5.0.0.2", EASY).host, undefined);
  Object.assign(internet.point, { stun: before });
  await internet.network.clock.run(async () => {
    const listener = await server.listen();
    const { error } = await failure(internet, client, () => client.dial(listener.endpoints[0]!));
    assert.equal(codeOf(error), "ERR_1TP_PUNCH_FAILED");
    Object.assign(internet.point, { stun: after });
    await internet.pass(30_000);
    const channel = await client.dial(listener.endpoints[0]!);
    channel.abort();
    await listener.close();
    await internet.pass(60_000);
  }, 400_000);
});
