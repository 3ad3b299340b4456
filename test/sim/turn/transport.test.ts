import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeOf } from "../../../src/base/errors.ts";
import type { Channel } from "../../../src/contract/channel.ts";
import type { Dialog } from "../../../src/contract/dialog.ts";
import type { Json } from "../../../src/contract/endpoint.ts";
import type { Listener } from "../../../src/contract/transport.ts";
import { ALLOCATE, CREATE_PERMISSION } from "../../../src/turn/attributes.ts";
import type { Host } from "../../kit/network/host.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { TurnModel } from "../../kit/turn-model.ts";

import { OWN_SERVER, TransportScene as Scene, SERVER } from "./transport-scene.ts";

/** Has the listener repeat a word, then ends. */
function converse(channel: Channel): Promise<void> {
  return new Promise((resolve, reject) => {
    let heard = "";
    channel.attach({
      onData(chunk) {
        heard += new TextDecoder().decode(chunk);
        if (heard === "hello") channel.end();
      },
      onDrain() {},
      onEnd() {},
      onClose: (error) => (error ? reject(error) : resolve()),
    });
    channel.write(new TextEncoder().encode("hello"));
  });
}

describe("turn between two NATs that nobody punches", () => {
  it("connects through one allocation, the listener's, and gives it back", async () => {
    const scene = new Scene();
    await scene.run(async () => {
      const model = await scene.model();
      const listener = await scene.listen();
      await converse(await scene.dial(listener));
      await converse(await scene.dial(listener));
      assert.deepEqual([model.count(ALLOCATE), scene.accepted.length], [1, 2]);
      await listener.close();
      assert.equal(model.allocations.size, 0);
      model.stop();
    });
  });

  it("connects whatever is lost", () =>
    forEachSeed(20, async (seed, trace) => {
      const scene = new Scene({ seed, loss: 0.03, trace });
      await scene.run(async () => {
        const model = await scene.model();
        const listener = await scene.listen();
        await converse(await scene.dial(listener));
        await listener.close();
        model.stop();
      });
    }));

  it("allocates anew with the next dial after the server has forgotten", async () => {
    const scene = new Scene();
    await scene.run(async () => {
      const model = await scene.model();
      const listener = await scene.listen();
      model.forget();
      await converse(await scene.dial(listener));
      assert.equal(model.count(ALLOCATE), 2);
      await listener.close();
      model.stop();
    });
  });

  it("connects where the server forbids the dialler's own address, not the one it sees", async () => {
    const scene = new Scene();
    await scene.run(async () => {
      const model = await scene.model();
      const listener = await scene.listen();
      let asked = 0;
      model.script = (method) => (method === CREATE_PERMISSION && ++asked > 1 ? { status: 403 } : undefined);
      await converse(await scene.dial(listener));
      assert.equal(model.count(CREATE_PERMISSION, 403), 1);
      await listener.close();
      model.stop();
    });
  });
});

describe("turn where all have IPv6 alone", () => {
  it("relays IPv6, though the signaling sees the dialler at an IPv4 address", async () => {
    const scene = new Scene();
    const { network, internet } = scene;
    const host = (name: string, address: string): Host => {
      const made = network.host({ name });
      made.attach(internet, { addresses: [address] });
      return made;
    };
    const relay = host("v6 server", "2a00::1");
    const [bob, alice] = [host("v6 bob", "2a00::b"), host("v6 alice", "2a00::a")];
    await scene.run(async () => {
      const model = await TurnModel.start(relay.runtime, "2a00::1");
      const transport = scene.transport({ turnServer: "2a00::1" });
      const listener = await scene.listen(transport, bob.runtime, "5.0.9.9");
      const channel = await scene.dial(listener, transport, alice.runtime);
      assert.equal(model.allocations.size, 1);
      await converse(channel);
      await listener.close();
      model.stop();
    });
  });
});

describe("a dialler that does not reach the listener's server", () => {
  /** On a network of its own, whose one way out is its own TURN server. */
  function island(scene: Scene, addresses: { client: string; server: string }): { client: Host; own: Host } {
    const { network } = scene;
    const lan = network.segment({ name: "island", hops: 1, link: { latency: 5 } });
    const own = network.host({ name: "own server" });
    own.attach(scene.internet, { addresses: [OWN_SERVER] });
    own.attach(lan, { addresses: [addresses.server] });
    const client = network.host({ name: "client" });
    client.attach(lan, { addresses: [addresses.client] });
    return { client, own };
  }

  for (const [what, addresses] of [
    ["by UDP", { client: "10.0.0.2", server: "10.0.0.1" }],
    ["since it has IPv6 alone", { client: "2a00::2", server: "2a00::1" }],
  ] as const) {
    it(`${what} goes through an allocation of its own, relay to relay`, async () => {
      const scene = new Scene();
      const { client, own } = island(scene, addresses);
      await scene.run(async () => {
        const model = await scene.model();
        const second = await TurnModel.start(own.runtime, addresses.server, OWN_SERVER);
        const listener = await scene.listen();
        const transport = scene.transport({ turnServer: addresses.server });
        const channel = await scene.dial(listener, transport, client.runtime);
        assert.deepEqual([model.allocations.size, second.allocations.size], [1, 1]);
        await converse(channel);
        await listener.close();
        await scene.pass(8000);
        assert.deepEqual([model.allocations.size, second.allocations.size], [0, 0]);
        model.stop();
        second.stop();
      });
    });
  }

  it("and has no other fails, saying so of all ways", async () => {
    const scene = new Scene();
    const { client } = island(scene, { client: "10.0.0.2", server: "10.0.0.1" });
    await scene.run(async () => {
      const model = await scene.model();
      const listener = await scene.listen();
      const before = scene.network.clock.now();
      await assert.rejects(scene.dial(listener, scene.transport(), client.runtime), (error: Error) => {
        assert.equal(codeOf(error), "ERR_1TP_TURN_REFUSED");
        assert.match(
          error.message,
          /by UDP to 5\.0\.0\.1: .*; by TCP to 5\.0\.0\.1: .*; by an allocation of our own: /,
        );
        return true;
      });
      assert.ok(scene.network.clock.now() - before < 7500);
      await listener.close();
      model.stop();
    });
  });
});

describe("a dialler", () => {
  for (const address of ["127.0.0.1", "192.168.1.1", "10.0.0.1", "169.254.1.1", "198.51.100.1"]) {
    it(`sends nothing to a relay at ${address} that a public server is said to have`, async () => {
      const scene = new Scene();
      const { network, signaling } = scene;
      const sent = new Set<string>();
      network.observer = ({ kind, where, packet }) => {
        if (kind === "sent" && where === "alice") sent.add(packet.target.address);
      };
      await scene.run(async () => {
        const model = await scene.model();
        model.script = (method) => (method === ALLOCATE ? { status: 486 } : undefined);
        const registration = await signaling.register({
          transportType: "turn-udp",
          onDialog: (dialog) =>
            dialog.attach({
              onSignal: (body) => {
                const { ask } = body as { ask: string };
                const lie =
                  ask === "server" ? { addresses: [SERVER], port: 3478 } : { relayed: { address, port: 99 } };
                dialog.send(lie).catch(() => {});
              },
              onClose() {},
            }),
        });
        const endpoints = [{ transportType: "turn-udp", transportInfo: registration.address }];
        await assert.rejects(scene.dial({ endpoints } as unknown as Listener), {
          code: "ERR_1TP_TURN_REFUSED",
          status: 486,
        });
        assert.deepEqual([...sent], [SERVER]);
        registration.close();
        model.stop();
      });
    });
  }
});

describe("a listener's dialogs", () => {
  const hostile: readonly Json[] = [
    null,
    7,
    "server",
    [],
    { ask: "nothing" },
    { ask: "relay" },
    { ask: "relay", from: "5.0.2.7" },
    { ask: "relay", from: [null, {}, "host", "0.0.0.0", "224.0.0.1", "fe80::1%eth0", 7] },
  ];

  /** What the listener answers to each. */
  async function exchange(scene: Scene, listener: Listener, bodies: readonly Json[]): Promise<Json[]> {
    const dialog: Dialog = await scene.signaling.open(
      listener.endpoints[0]!.transportInfo as never,
      "turn-udp",
    );
    const answers: Json[] = [];
    dialog.attach({ onSignal: (body) => answers.push(body), onClose() {} });
    for (const body of bodies) await dialog.send(body);
    await scene.pass(1000);
    dialog.close();
    return answers;
  }

  it("answer no nonsense, and spend no permission on it", async () => {
    const scene = new Scene();
    await scene.run(async () => {
      const model = await scene.model();
      const listener = await scene.listen();
      for (const body of hostile) {
        for (const answer of await exchange(scene, listener, [body]))
          assert.deepEqual(answer, { refused: 0 });
      }
      assert.equal(model.count(CREATE_PERMISSION), 0);
      await listener.close();
      model.stop();
    });
  });

  it("permit eight addresses at most, and answer six questions", async () => {
    const scene = new Scene();
    await scene.run(async () => {
      const model = await scene.model();
      const listener = await scene.listen();
      const from = Array.from({ length: 50 }, (_, i) => `5.0.9.${i}`);
      const [answer] = await exchange(scene, listener, [{ ask: "relay", from }]);
      assert.equal(typeof (answer as { relayed?: unknown }).relayed, "object");
      assert.equal(model.count(CREATE_PERMISSION), 8);
      const answers = await exchange(
        scene,
        listener,
        Array.from({ length: 20 }, () => ({ ask: "server" })),
      );
      assert.deepEqual(answers, new Array(6).fill({ addresses: [SERVER], port: 3478 }));
      await listener.close();
      model.stop();
    });
  });

  it("are 64 at once with one address, so that no stranger takes all", async () => {
    const scene = new Scene();
    await scene.run(async () => {
      const model = await scene.model();
      const listener = await scene.listen(scene.transport(), scene.bob.runtime, "5.0.2.7");
      const address = listener.endpoints[0]!.transportInfo as never;
      let refused = 0;
      const dialogs = await Promise.all(
        Array.from({ length: 70 }, () => scene.signaling.open(address, "turn-udp")),
      );
      for (const dialog of dialogs) dialog.attach({ onSignal() {}, onClose: () => refused++ });
      await scene.pass(1000);
      assert.equal(refused, 6);
      for (const dialog of dialogs) dialog.close();
      await listener.close();
      model.stop();
    });
  });

  it("that a dialler leaves open end by themselves", async () => {
    const scene = new Scene();
    await scene.run(async () => {
      const model = await scene.model();
      const listener = await scene.listen();
      const dialog = await scene.signaling.open(listener.endpoints[0]!.transportInfo as never, "turn-udp");
      const { clock } = scene.network;
      const before = clock.now();
      await new Promise<void>((resolve) => dialog.attach({ onSignal() {}, onClose: () => resolve() }));
      assert.equal(Math.round(clock.now() - before), 30_000);
      await listener.close();
      model.stop();
    });
  });
});
