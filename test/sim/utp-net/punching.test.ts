import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { type Connection, UtpNode } from "1tp/utp";
import { home } from "../../kit/network/home.ts";
import type { Host } from "../../kit/network/host.ts";
import type { NatOptions } from "../../kit/network/nat.ts";
import type { SegmentOptions } from "../../kit/network/segment.ts";
import { Network } from "../../kit/network.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import type { Trace } from "../../kit/trace.ts";

/** What most homes have: one mapping a port, and only who was spoken to may answer. */
const USUAL: NatOptions = {
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
  ports: "random",
};
/** Another mapping for every peer. */
const HARD: NatOptions = { ...USUAL, mapping: "address-and-port-dependent" };

interface Peer {
  readonly node: UtpNode;
  /** Where the tracker sees it. */
  readonly outside: { readonly host: string; readonly port: number };
}

/** Two homes behind NATs and a tracker that both can reach. */
class Town {
  readonly network: Network;
  readonly #hosts: readonly Host[];
  readonly #tracker: Host;

  constructor(
    nats: readonly [NatOptions, NatOptions],
    seed: number,
    trace: Trace,
    link: SegmentOptions["link"],
  ) {
    this.network = new Network({ seed, trace });
    const internet = this.network.segment({ name: "internet", hops: 8, ...(link ? { link } : {}) });
    this.#hosts = nats.map(
      (nat, i) =>
        home(this.network, { name: `home${i}`, uplink: internet, outer: [`5.0.0.${i + 1}`], nat }).host,
    );
    this.#tracker = this.network.host({ name: "tracker" });
    this.#tracker.attach(internet, { addresses: ["6.0.0.1/8"] });
  }

  /** Gives `meet` the two peers, each introduced to the tracker from the port it goes on to use. */
  play(meet: (a: Peer, b: Peer) => Promise<void>): Promise<void> {
    return this.network.clock.run(async () => {
      const tracker = new UtpNode({ runtime: this.#tracker.runtime }, (connection) =>
        connection.end(JSON.stringify(connection.address())),
      );
      tracker.bind(7000);
      tracker.listen();
      const [a, b] = await Promise.all(this.#hosts.map((host) => introduce(host)));
      await meet(a!, b!);
      await Promise.all([a!.node, b!.node, tracker].map((node) => node.closeP()));
      assert.deepEqual(this.network.openSockets(), []);
    });
  }
}

async function introduce({ runtime }: Host): Promise<Peer> {
  const node = new UtpNode({ runtime, timeout: 20_000 }, (connection) => connection.pipe(connection));
  node.bind(7000);
  node.listen();
  const connection = await node.connectP(7000, "6.0.0.1");
  return { node, outside: JSON.parse(await readAll(connection)) };
}

async function readAll(connection: Connection): Promise<string> {
  let text = "";
  for await (const chunk of connection) text += chunk;
  return text;
}

function punch({ node }: Peer, { outside }: Peer, attempts = 10): Promise<boolean> {
  return node.punchP(attempts, outside.port, outside.host);
}

describe("punches between two homes", () => {
  for (const [name, link] of [
    ["over a clean path", { latency: 40 }],
    ["over a path that loses a tenth", { latency: 40, loss: 0.05 }],
  ] as const) {
    test(`succeed on both sides ${name}, and either may connect then`, () =>
      forEachSeed(10, (seed, trace) =>
        new Town([USUAL, USUAL], seed, trace, link).play(async (a, b) => {
          assert.deepEqual(await Promise.all([punch(a, b), punch(b, a)]), [true, true]);
          for (const [from, to] of [
            [a, b],
            [b, a],
          ] as const) {
            const connection = await from.node.connectP(to.outside.port, to.outside.host);
            assert.equal(await readAll(connection.end("through the hole")), "through the hole");
          }
        }),
      ));
  }

  test("do not wait for the next attempt once both have begun", () =>
    forEachSeed(5, (seed, trace) => {
      const town = new Town([USUAL, USUAL], seed, trace, { latency: 40 });
      const { clock } = town.network;
      return town.play(async (a, b) => {
        const first = punch(a, b);
        await new Promise<void>((resolve) => clock.setTimer(clock.now() + 20, resolve));
        const start = clock.now();
        assert.deepEqual(await Promise.all([first, punch(b, a)]), [true, true]);
        assert.ok(clock.now() - start < 260, `${clock.now() - start} ms for a round trip of 160`);
      });
    }));

  test("fail on the side that punches alone, and a dial then is a timeout", () =>
    forEachSeed(3, (seed, trace) =>
      new Town([USUAL, USUAL], seed, trace, { latency: 40 }).play(async (a, b) => {
        assert.equal(await punch(a, b, 4), false);
        const dialled = a.node.connect(b.outside.port, b.outside.host);
        const [silent] = await once(a.node, "timeout");
        assert.equal(silent, dialled);
      }),
    ));

  test("fail between two NATs that give every peer another port", () =>
    forEachSeed(3, (seed, trace) =>
      new Town([HARD, HARD], seed, trace, { latency: 40 }).play(async (a, b) => {
        assert.deepEqual(await Promise.all([punch(a, b, 5), punch(b, a, 5)]), [false, false]);
      }),
    ));
});
