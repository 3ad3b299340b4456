import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { discoverNat, measureLifetime } from "../../../src/host/nat-discovery.ts";
import type { NatBehaviour } from "../../../src/nat/behaviour.ts";
import type { Dependence } from "../../kit/network/filter.ts";
import type { Host } from "../../kit/network/host.ts";
import type { NatOptions } from "../../kit/network/nat.ts";
import { EASY, Internet } from "./punching.ts";

const DEPENDENCES: readonly Dependence[] = [
  "endpoint-independent",
  "address-dependent",
  "address-and-port-dependent",
];
const FULL = { address: "5.9.0.1", port: 3478 };

async function discover(
  build: (internet: Internet) => Host,
  servers = [FULL],
): Promise<{ nat: NatBehaviour; took: number }> {
  const internet = await Internet.open();
  const { runtime } = build(internet);
  const { clock } = internet.network;
  return clock.run(async () => {
    const socket = await runtime.bindDatagram!({ address: "0.0.0.0" });
    const began = clock.now();
    const nat = await discoverNat(socket, servers, runtime);
    await internet.pass(0);
    assert.deepEqual(
      internet.network.openSockets().filter((one) => !one.startsWith("stun ")),
      [],
    );
    return { nat, took: clock.now() - began };
  }, 60_000);
}

const behind = (nat: NatOptions) => (internet: Internet) => internet.home("home", "5.0.0.1", nat).host;

describe("a server that speaks RFC 5780 tells", () => {
  for (const mapping of DEPENDENCES) {
    for (const filtering of DEPENDENCES) {
      for (const hairpin of [false, true]) {
        test(`mapping ${mapping}, filtering ${filtering}, ${hairpin ? "" : "no "}hairpin`, async () => {
          const { nat, took } = await discover(behind({ mapping, filtering, hairpin, ports: "random" }));
          assert.deepEqual([nat.mapping, nat.filtering], [mapping, filtering]);
          // A filter by port keeps out what comes from the outer address, which nobody has sent to yet, and hard mappings move.
          if (!hairpin || (mapping === "endpoint-independent" && filtering === "endpoint-independent")) {
            assert.equal(nat.hairpin, hairpin);
          }
          assert.ok(took < 10_000);
        });
      }
    }
  }

  for (const step of [1, 2, -1]) {
    test(`ports in steps of ${step}`, async () => {
      const nat = { mapping: "address-and-port-dependent", ports: { sequential: step } } as const;
      assert.equal((await discover(behind({ ...EASY, ...nat }))).nat.ports, step);
    });
  }

  test("ports that are kept, and ports that are not", async () => {
    assert.equal((await discover(behind({ ...EASY, ports: "preserving" }))).nat.ports, "preserving");
    const hard = { mapping: "address-and-port-dependent", ports: "random" } as const;
    assert.equal((await discover(behind({ ...EASY, ...hard }))).nat.ports, "random");
  });

  test("that there is no NAT", async () => {
    const { nat } = await discover((internet) => internet.publicHost("host", "5.0.0.1"));
    assert.deepEqual(nat, {
      mapping: "endpoint-independent",
      filtering: "endpoint-independent",
      ports: "preserving",
      hairpin: true,
    });
  });
});

describe("what servers cannot tell stays unknown", () => {
  test("two ports of one IP: a mapping that depends on the port, or nothing", async () => {
    const servers = [FULL, { ...FULL, port: 3479 }];
    const plain = async (nat: NatOptions) => {
      const internet = await Internet.open({}, 20, { plain: true });
      const { runtime } = internet.home("home", "5.0.0.1", nat).host;
      return internet.network.clock.run(async () => {
        const socket = await runtime.bindDatagram!({ address: "0.0.0.0" });
        return discoverNat(socket, servers, runtime);
      }, 60_000);
    };
    assert.equal((await plain(EASY)).mapping, undefined);
    assert.equal((await plain({ ...EASY, mapping: "address-dependent" })).mapping, undefined);
    const hard = await plain({ ...EASY, mapping: "address-and-port-dependent" });
    assert.deepEqual([hard.mapping, hard.filtering], ["address-and-port-dependent", undefined]);
  });

  test("no server that answers: nothing, and in time", async () => {
    const { nat, took } = await discover(behind(EASY), [{ address: "5.9.0.9", port: 3478 }]);
    assert.deepEqual(nat, {});
    assert.ok(took < 5000);
  });

  test("no server at all: nothing, at once", async () => {
    assert.deepEqual(await discover(behind(EASY), []), { nat: {}, took: 0 });
  });
});

describe("how long a NAT keeps an idle mapping", () => {
  async function measure(nat: NatOptions, plain = false): Promise<number | undefined> {
    const internet = await Internet.open({}, 20, { plain });
    const { bindDatagram } = internet.home("home", "5.0.0.1", nat).host.runtime;
    const { runtime } = internet.publicHost("unused", "5.0.0.2");
    return internet.network.clock.run(async () => {
      const sockets = [
        await bindDatagram!({ address: "0.0.0.0" }),
        await bindDatagram!({ address: "0.0.0.0" }),
      ] as const;
      return measureLifetime(sockets, FULL, { ...runtime, clock: internet.network.clock });
    }, 10_000_000);
  }

  for (const seconds of [12, 30, 65, 120, 200]) {
    test(`${seconds} s are measured to five seconds, whatever the filter`, async () => {
      for (const filtering of DEPENDENCES) {
        const lifetime = await measure({ ...EASY, filtering, lifetime: seconds * 1000 });
        assert.ok(lifetime !== undefined, "measured");
        assert.ok(lifetime <= seconds * 1000 && lifetime >= (seconds - 6) * 1000, `${lifetime}`);
      }
    });
  }

  test("a NAT that forgets at once cannot be measured", async () => {
    assert.equal(await measure({ ...EASY, lifetime: 3000 }), undefined);
  });
});
