import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { crypto } from "#platform";
import type { Instant } from "../../../src/contract/clock.ts";
import type { Dialog } from "../../../src/contract/dialog.ts";
import type { Endpoint, Json, JsonObject } from "../../../src/contract/endpoint.ts";
import { CheckCodec, makeIdentity, makeTransactionId } from "../../../src/nat/check.ts";
import type { Host } from "../../kit/network/host.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { EASY, HARD, Internet, type Peer } from "./punching.ts";

/** A listener behind a NAT, and somebody who speaks to it over a dialog but does not play by the rules. */
interface Stage {
  readonly internet: Internet;
  readonly server: Peer;
  readonly entry: Endpoint;
  /** Opens a dialog and sends these signals. */
  attack(...signals: readonly Json[]): Promise<Dialog>;
  /** The bodies the server has sent over the dialogs. */
  readonly answers: JsonObject[];
  /** Datagrams that have left the server's home, by target. */
  readonly sent: Map<string, Sent>;
}

/** What has left for one address: how many datagrams, of how many bytes at most, and when. */
interface Sent {
  count: number;
  largest: number;
  readonly at: Instant[];
}

const IDENTITY = { user: "attacker", password: "0123456789abcdefghijklmn" };

async function onStage(
  seed: number,
  body: (stage: Stage) => Promise<void>,
  nat = EASY,
  attackerSeenAt: string | null = "5.0.0.66",
): Promise<void> {
  const internet = await Internet.open({ seed });
  const server = internet.peer(internet.home("server", "5.0.0.1", nat).host, "5.0.0.1");
  const sent: Stage["sent"] = new Map();
  const answers: JsonObject[] = [];
  internet.network.observer = ({ kind, where, packet }) => {
    if (kind !== "sent" || where !== "server" || packet.refused) return;
    const { address } = packet.target;
    const entry = sent.get(address) ?? { count: 0, largest: 0, at: [] };
    entry.count++;
    entry.largest = Math.max(entry.largest, packet.data.length);
    entry.at.push(internet.network.clock.now());
    sent.set(address, entry);
  };
  await internet.network.clock.run(async () => {
    const listener = await server.listen();
    // What it discovers of its own NAT is done then.
    await internet.pass(10_000);
    sent.clear();
    const attacker = internet.point.client(attackerSeenAt ?? undefined);
    const attack = async (...signals: readonly Json[]): Promise<Dialog> => {
      const { transportInfo } = listener.endpoints[0]!;
      const dialog = await attacker.open(transportInfo as never);
      dialog.attach({ onSignal: (answer) => void answers.push(answer as JsonObject), onClose() {} });
      for (const signal of signals) await dialog.send(signal);
      return dialog;
    };
    await body({ internet, server, entry: listener.endpoints[0]!, attack, answers, sent });
    await listener.close();
    await internet.pass(60_000);
    assert.deepEqual(
      internet.network.openSockets().filter((socket) => socket.startsWith("server")),
      [],
    );
  }, 300_000);
}

const candidate = (address: string, port = 5000, kind = "reflexive") => ({ kind, address, port });

describe("what a peer cannot make a listener do", () => {
  test("of hundreds of candidates sixteen count, and no IP of a third party gets more than eight small datagrams", () =>
    forEachSeed(5, (seed) =>
      onStage(seed, async ({ internet, attack, sent }) => {
        const victims = Array.from({ length: 60 }, (_, i) => `5.1.0.${i % 6}`);
        const many = victims.map((address, i) => candidate(address, 1000 + i));
        await attack({ ...IDENTITY, candidates: many }, ...many.map((one) => ({ candidates: [one] })));
        await internet.pass(20_000);
        const reached = [...sent].filter(([address]) => address.startsWith("5.1."));
        assert.notEqual(reached.length, 0);
        for (const [address, { count, largest }] of reached) {
          assert.ok(count <= 8 && largest <= 100, `${address}: ${count} datagrams of up to ${largest} bytes`);
        }
      }),
    ));

  test("nothing leaves for multicast, broadcast, loopback, reserved and unspecified addresses", () =>
    onStage(1, async ({ internet, attack, sent }) => {
      const forbidden = [
        ...["224.0.0.1", "239.1.2.3", "255.255.255.255", "192.168.1.255", "127.0.0.1", "0.0.0.0"],
        ...["240.0.0.1", "198.51.100.7", "203.0.113.5", "ff02::1", "::1", "::", "::ffff:127.0.0.1"],
      ];
      await attack({ ...IDENTITY, candidates: forbidden.map((address) => candidate(address)) });
      await internet.pass(20_000);
      assert.deepEqual(
        [...sent.keys()].filter((address) => !address.startsWith("5.9.")),
        [],
      );
    }));

  test("its own address is not spoken to", () =>
    onStage(1, async ({ internet, attack, answers, sent }) => {
      const dialog = await attack({ ...IDENTITY, candidates: [candidate("5.0.0.7")] });
      await internet.pass(100);
      const own = answers.flatMap(({ candidates = [] }) => candidates as JsonObject[]);
      assert.notEqual(own.length, 0);
      await dialog.send({ candidates: own as Json[] });
      await internet.pass(10_000);
      assert.deepEqual([sent.get("5.0.0.1"), sent.get("192.168.1.2")], [undefined, undefined]);
    }));

  test("an IP that it does not have gets no birthday, whatever it says of its NATs", () =>
    forEachSeed(3, (seed) =>
      onStage(seed, async ({ internet, attack, sent }) => {
        const nat = { mapping: "address-and-port-dependent", ports: "random" };
        const steps = { mapping: "address-and-port-dependent", ports: 1 };
        for (const behaviour of [nat, steps]) {
          await attack(
            { ...IDENTITY, candidates: [candidate("5.1.0.1")], nat: behaviour },
            { ready: "birthday" },
            { ready: "prediction" },
          );
        }
        await internet.pass(20_000);
        assert.ok((sent.get("5.1.0.1")?.count ?? 0) <= 16, "eight for each of two dialogs");
      }),
    ));

  test("an attested IP gets 2048 probes in a run, no more than a thousand a second, and one run at a time", () =>
    onStage(1, async ({ internet, attack, sent }) => {
      const nat = { mapping: "address-and-port-dependent", ports: "random" };
      const offer = { ...IDENTITY, candidates: [candidate("5.0.0.66")], nat };
      for (let i = 0; i < 4; i++) await attack(offer, { ready: "birthday" });
      await internet.pass(4000);
      const { count, largest, at } = sent.get("5.0.0.66")!;
      const busiest = Math.max(...at.map((first) => at.filter((t) => t >= first && t < first + 1000).length));
      assert.ok(busiest > 500 && busiest <= 1000 + 4 * 24, `${busiest} in a second`);
      assert.ok(count <= 2048 + 4 * 24, `${count} datagrams`);
      assert.ok(largest <= 100);
    }));

  test("an IP that a lying registrar attests gets nothing unless the peer itself names it", () =>
    onStage(
      1,
      async ({ internet, attack, sent }) => {
        const nat = { mapping: "address-and-port-dependent", ports: "random" };
        await attack({ ...IDENTITY, candidates: [candidate("5.0.0.66")], nat }, { ready: "birthday" });
        await internet.pass(10_000);
        assert.deepEqual([sent.get("5.1.0.1"), sent.get("5.0.0.66")!.count <= 8], [undefined, true]);
      },
      EASY,
      "5.1.0.1",
    ));

  test("a hard listener opens 256 sockets for one of many dialogs, and closes them", () =>
    onStage(
      1,
      async ({ internet, attack }) => {
        const nat = { mapping: "endpoint-independent" };
        for (let i = 0; i < 10; i++) await attack({ ...IDENTITY, candidates: [candidate("5.0.0.66")], nat });
        await internet.pass(1000);
        const open = internet.network.openSockets().filter((socket) => socket.startsWith("server"));
        assert.ok(open.length > 200 && open.length <= 1 + 256, `${open.length} sockets`);
        await internet.pass(30_000);
        const left = internet.network.openSockets().filter((socket) => socket.startsWith("server"));
        assert.equal(left.length, 1);
      },
      HARD,
    ));

  test("signals without end, and signals that make no sense, do nothing", () =>
    onStage(1, async ({ internet, attack, server }) => {
      const junk: Json[] = [
        null,
        17,
        "x",
        [],
        {},
        { user: "x" },
        { user: 1, password: 2 },
        { candidates: 5 },
        { candidates: [null, 1, {}, { kind: "host" }, { kind: "host", address: "x", port: 1 }] },
        { candidates: [candidate("5.1.0.1", 0)], opened: -1, ready: "" },
        { nat: null, opened: 1e9, ready: { a: 1 } },
        { ...IDENTITY, nat: { mapping: 3, ports: 1e9, filtering: "none" } },
      ];
      await attack(...junk, ...junk, ...junk, ...junk);
      await internet.pass(60_000);
      assert.equal(server.accepted.length, 0);
    }));

  for (const [words, seenAt, most] of [
    ["beyond 256 dialogs at once the next are closed", null, 256],
    ["who is seen at one address gets 64 of them, and others meet all the same", "5.0.0.66", 64],
  ] as const) {
    test(words, () =>
      onStage(
        1,
        async ({ internet, entry, attack, server }) => {
          let closed = 0;
          for (let i = 0; i < 300; i++) {
            const dialog = await attack();
            dialog.attach({ onSignal() {}, onClose: () => closed++ });
          }
          await internet.pass(1000);
          assert.deepEqual([server.dialogs, closed], [300, 300 - most]);
          const client = internet.peer(internet.publicHost("client", "5.0.0.2"), "5.0.0.2");
          const met = client.dial(entry).then(
            (channel) => channel.abort(),
            () => "not met",
          );
          assert.equal(await met, most === 256 ? "not met" : undefined);
          await internet.pass(30_000);
          assert.equal(closed, 300);
        },
        EASY,
        seenAt,
      ),
    );
  }
});

describe("checks that are not the peer's", () => {
  /** A public socket of the attacker's, with what it gets. */
  async function socketOf(host: Host) {
    const socket = await host.runtime.bindDatagram!({ address: "5.0.0.66", port: 5000 });
    const got: Uint8Array[] = [];
    socket.attach({ onDatagram: (data) => void got.push(data) });
    return { socket, got };
  }

  test("forged ones are not answered, and those of the dialog's own peer are", () =>
    onStage(1, async ({ internet, attack, answers }) => {
      const { socket, got } = await socketOf(internet.publicHost("attacker", "5.0.0.66"));
      await attack({ ...IDENTITY, candidates: [candidate("5.0.0.66")] }, { opened: 2 });
      await internet.pass(2000);
      const theirs = answers.flatMap(({ user, password }) => (user ? [{ user, password }] : []))[0];
      const to = answers
        .flatMap(({ candidates = [] }) => candidates as JsonObject[])
        .find(({ kind }) => kind === "reflexive") as { address: string; port: number } | undefined;
      const { random } = internet.publicHost("other", "5.0.0.67").runtime;
      const honest = new CheckCodec(crypto, IDENTITY);
      honest.meet(theirs as typeof IDENTITY);
      const forger = new CheckCodec(crypto, IDENTITY);
      forger.meet({ ...(theirs as typeof IDENTITY), password: makeIdentity(random).password });
      const successes = (): number => got.filter((data) => data[0] === 1 && data[1] === 1).length;
      socket.send(forger.request(makeTransactionId(random))!, to!);
      await internet.pass(200);
      assert.equal(successes(), 0);
      socket.send(honest.request(makeTransactionId(random))!, to!);
      await internet.pass(200);
      assert.equal(successes(), 1);
      socket.close();
    }));

  test("a caught one that is sent again from elsewhere is neither answered nor believed", () =>
    onStage(
      1,
      async ({ internet, attack, answers }) => {
        const { socket, got } = await socketOf(internet.publicHost("attacker", "5.0.0.66"));
        const thief = internet.publicHost("thief", "5.0.0.67");
        const other = await thief.runtime.bindDatagram!({ address: "5.0.0.67" });
        const stolen: Uint8Array[] = [];
        other.attach({ onDatagram: (data) => void stolen.push(data) });
        await attack({ ...IDENTITY, candidates: [candidate("5.0.0.66")] }, { opened: 2 });
        await internet.pass(500);
        const theirs = answers.find(({ user }) => user !== undefined);
        const to = answers
          .flatMap(({ candidates = [] }) => candidates as JsonObject[])
          .find(({ kind }) => kind === "reflexive") as { address: string; port: number } | undefined;
        const honest = new CheckCodec(crypto, IDENTITY);
        honest.meet(theirs as unknown as typeof IDENTITY);
        const check = honest.request(makeTransactionId(thief.runtime.random))!;
        socket.send(check, to!);
        await internet.pass(200);
        assert.notEqual(got.length, 0);
        other.send(check, to!);
        await internet.pass(5000);
        assert.equal(stolen.length, 0);
        socket.close();
        other.close();
      },
      { ...EASY, filtering: "endpoint-independent" },
    ));
});
