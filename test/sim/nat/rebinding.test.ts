import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Channel } from "../../../src/contract/channel.ts";
import type { Listener } from "../../../src/contract/transport.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { EASY, HARD, type Heard, Internet, listenTo, type Peer } from "./punching.ts";

interface Pair {
  readonly near: Channel;
  readonly far: Channel;
  readonly heard: { readonly near: Heard; readonly far: Heard };
}

/** Two connected ends that have said a word. */
async function connect(internet: Internet, server: Peer, client: Peer, listening?: Listener): Promise<Pair> {
  const listener = listening ?? (await server.listen());
  await internet.pass(500);
  const near = await client.dial(listener.endpoints[0]!);
  near.write(Uint8Array.of(0));
  await internet.pass(500);
  const [far] = server.accepted;
  assert.ok(far);
  const pair = { near, far, heard: { near: listenTo(near), far: listenTo(far) } };
  await internet.pass(100);
  if (!listening) await listener.close();
  return pair;
}

async function close(internet: Internet, { near, far }: Pair): Promise<void> {
  near.abort();
  far.abort();
  await internet.pass(60_000);
  assert.deepEqual(
    internet.network.openSockets().filter((socket) => !socket.startsWith("stun ")),
    [],
  );
}

/** A client at a home whose router is about to reboot, and a server that can be reached from a new endpoint. */
const SERVERS = {
  "a public server": (internet: Internet) => internet.publicHost("server", "5.0.0.1"),
  "a server whose NAT lets everybody in": (internet: Internet) =>
    internet.home("server", "5.0.0.1", { ...EASY, filtering: "endpoint-independent" }).host,
} as const;

describe("a NAT that forgets in mid-connection", () => {
  for (const [where, build] of Object.entries(SERVERS)) {
    for (const outer of ["5.0.0.2", "5.0.0.3"]) {
      test(`${where} follows to a new ${outer === "5.0.0.2" ? "port" : "address"}, while both sides send`, () =>
        forEachSeed(10, async (seed, trace) => {
          const internet = await Internet.open({ seed, trace });
          const home = internet.home("client", "5.0.0.2", EASY);
          const server = internet.peer(build(internet), "5.0.0.1");
          const client = internet.peer(home.host, "5.0.0.2");
          await internet.network.clock.run(async () => {
            const pair = await connect(internet, server, client);
            home.router.reboot([outer]);
            for (let i = 0; i < 20; i++) {
              pair.near.write(new Uint8Array(1000));
              pair.far.write(new Uint8Array(1000));
              await internet.pass(100);
            }
            await internet.pass(5000);
            assert.deepEqual([pair.heard.far.bytes, pair.heard.near.bytes], [20_001, 20_000]);
            await close(internet, pair);
          }, 300_000);
        }));
    }
  }

  for (const [whose, outer] of [
    ["client's", ["5.0.0.2"]],
    ["client's", ["5.0.0.3"]],
    ["server's", ["5.0.0.1"]],
    ["server's", ["5.0.0.4"]],
  ] as const) {
    const what = outer[0] === "5.0.0.2" || outer[0] === "5.0.0.1" ? "port" : "address";
    test(`two NATs that filter by port punch anew when the ${whose} gives another ${what}, and no byte is lost`, () =>
      forEachSeed(10, async (seed, trace) => {
        const internet = await Internet.open({ seed, trace });
        const homes = {
          "server's": internet.home("server", "5.0.0.1", EASY),
          "client's": internet.home("client", "5.0.0.2", EASY),
        };
        const server = internet.peer(homes["server's"].host, "5.0.0.1");
        const client = internet.peer(homes["client's"].host, "5.0.0.2");
        await internet.network.clock.run(async () => {
          const listener = await server.listen();
          const pair = await connect(internet, server, client, listener);
          await internet.pass(3000);
          homes[whose].router.reboot(outer);
          (whose === "server's" ? server : client).signaling.observedAddress = outer[0];
          for (let i = 0; i < 20; i++) {
            pair.near.write(new Uint8Array(1000));
            pair.far.write(new Uint8Array(1000));
            await internet.pass(100);
          }
          await internet.pass(12_000);
          assert.deepEqual([pair.heard.far.bytes, pair.heard.near.bytes], [20_001, 20_000]);
          assert.equal(server.accepted.length, 1);
          await listener.close();
          await close(internet, pair);
        }, 300_000);
      }));
  }

  for (const [where, filtering] of [
    ["everybody", "endpoint-independent"],
    ["nobody it has not sent to", "address-and-port-dependent"],
  ] as const) {
    test(`a laptop that is carried to another home goes on with a server whose NAT lets in ${where}`, () =>
      forEachSeed(10, async (seed, trace) => {
        const internet = await Internet.open({ seed, trace });
        const server = internet.peer(
          internet.home("server", "5.0.0.1", { ...EASY, filtering }).host,
          "5.0.0.1",
        );
        const { host } = internet.home("client", "5.0.0.2", EASY);
        const client = internet.peer(host, "5.0.0.2");
        const other = internet.home("other", "5.0.0.3", EASY, { inner: ["192.168.9.1/24"], hosts: 0 });
        await internet.network.clock.run(async () => {
          const listener = await server.listen();
          const pair = await connect(internet, server, client, listener);
          host.detach("eth0");
          pair.near.write(new Uint8Array(1000));
          pair.far.write(new Uint8Array(1000));
          await internet.pass(3000);
          host.attach(other.lan, { addresses: ["192.168.9.2/24"] });
          client.signaling.observedAddress = "5.0.0.3";
          pair.near.write(new Uint8Array(1000));
          pair.far.write(new Uint8Array(1000));
          await internet.pass(20_000);
          assert.deepEqual([pair.heard.far.bytes, pair.heard.near.bytes], [2001, 2000]);
          await listener.close();
          await close(internet, pair);
        }, 300_000);
      }));
  }

  test("an idle connection is followed with the next keep-alive", () =>
    forEachSeed(5, async (seed, trace) => {
      const internet = await Internet.open({ seed, trace });
      const home = internet.home("client", "5.0.0.2", EASY);
      const server = internet.peer(internet.publicHost("server", "5.0.0.1"), "5.0.0.1");
      await internet.network.clock.run(async () => {
        const pair = await connect(internet, server, internet.peer(home.host, "5.0.0.2"));
        home.router.reboot();
        await internet.pass(40_000);
        pair.far.write(new Uint8Array(10));
        await internet.pass(1000);
        assert.equal(pair.heard.near.bytes, 10);
        await close(internet, pair);
      }, 300_000);
    }));

  test("an idle connection outlives mappings of 30 s", () =>
    forEachSeed(3, async (seed, trace) => {
      const internet = await Internet.open({ seed, trace });
      const nat = { ...EASY, lifetime: 30_000, unrepliedLifetime: 30_000 };
      const server = internet.peer(internet.home("server", "5.0.0.1", nat).host, "5.0.0.1");
      const client = internet.peer(internet.home("client", "5.0.0.2", nat).host, "5.0.0.2");
      await internet.network.clock.run(async () => {
        const pair = await connect(internet, server, client);
        await internet.pass(600_000);
        pair.far.write(new Uint8Array(10));
        pair.near.write(new Uint8Array(20));
        await internet.pass(1000);
        assert.deepEqual([pair.heard.near.bytes, pair.heard.far.bytes], [10, 21]);
        await close(internet, pair);
      }, 1_000_000);
    }));
});

for (const [words, allowed, most] of [
  ["is asked who it is, gets three small datagrams and no connection", true, 3],
  ["from where the user allows nothing gets nothing", false, 0],
] as const)
  test(`whoever copies packets ${words}`, () =>
    forEachSeed(5, async (seed, trace) => {
      const internet = await Internet.open({ seed, trace });
      const server = internet.peer(internet.publicHost("server", "5.0.0.1"), "5.0.0.1");
      const client = internet.peer(internet.home("client", "5.0.0.2", HARD).host, "5.0.0.2");
      const thief = internet.publicHost("thief", "5.0.0.66");
      await internet.network.clock.run(async () => {
        const listener = await server.listen({ mayDial: (host) => allowed || host !== "5.0.0.66" });
        const pair = await connect(internet, server, client, listener);
        await listener.close();
        const socket = await thief.runtime.bindDatagram!({ address: "5.0.0.66" });
        const got: number[] = [];
        socket.attach({ onDatagram: (data) => void got.push(data.length) });
        internet.network.observer = ({ kind, where, packet }) => {
          const ofUtp = packet.data.length >= 20 && (packet.data[0]! & 0x0f) === 1 && packet.data[4] !== 0x21;
          if (kind === "received" && where === "server" && ofUtp && packet.source.address === "5.0.0.2") {
            socket.send(new Uint8Array(packet.data), packet.target);
          }
        };
        for (let i = 0; i < 10; i++) {
          pair.near.write(new Uint8Array(100));
          pair.far.write(new Uint8Array(100));
          await internet.pass(50);
        }
        internet.network.observer = undefined;
        await internet.pass(5000);
        assert.deepEqual([pair.heard.near.bytes, pair.heard.far.bytes], [1000, 1001]);
        assert.ok(got.length <= most, `${got.length} datagrams`);
        assert.ok(got.every((length) => length <= 100));
        socket.close();
        await close(internet, pair);
      }, 300_000);
    }));
