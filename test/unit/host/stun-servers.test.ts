import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runtime } from "#platform";
import { LocalHub, LocalSignaling } from "../../../signaling/local/index.ts";
import type { Runtime } from "../../../src/contract/runtime.ts";
import { StunServers } from "../../../src/host/stun-servers.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";

const signaling = new LocalSignaling({ hub: new LocalHub() });

describe("the STUN servers to ask", () => {
  const names: Runtime = {
    ...runtime,
    lookup: async (name) => {
      if (name === "gone.example") throw Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
      return ["2a00::1", "5.9.0.7", "5.9.0.8"];
    },
  };

  test("are literals and what names lead to over IPv4, three of them", async () => {
    const uris = ["stun:gone.example", "stun:[2a00::1]", "stun:5.9.0.1:9"];
    assert.deepEqual(await new StunServers(uris, signaling).addresses(names), [
      { address: "5.9.0.1", port: 9 },
    ]);
    const many = ["stun:5.9.0.1", "stun:stun.example", "stun:5.9.0.2"];
    const found = await new StunServers(many, signaling).addresses(names);
    assert.deepEqual(
      found.map(({ address }) => address),
      ["5.9.0.1", "5.9.0.7", "5.9.0.8"],
    );
  });

  test("are those the signaling names, and none if it fails, which is asked anew", async () => {
    let asked = 0;
    const failing = Object.assign(new LocalSignaling({ hub: new LocalHub() }), {
      services: async () => {
        asked++;
        if (asked === 1) throw new Error("not now");
        return { stun: ["stun:5.9.0.3", "stuns:5.9.0.4", "turn:5.9.0.5", "nonsense"], turn: [] };
      },
    });
    const servers = new StunServers(undefined, failing);
    assert.deepEqual(await servers.addresses(names), []);
    assert.deepEqual(await servers.addresses(names), [{ address: "5.9.0.3", port: 3478 }]);
    await servers.addresses(names);
    assert.equal(asked, 2);
    servers.forget();
    await servers.addresses(names);
    assert.equal(asked, 3);
  });

  test("that cannot be found now are looked for again soon, and those that were found after five minutes", async () => {
    const clock = new VirtualClock();
    let online = false;
    let lookups = 0;
    const lookup = async (): Promise<string[]> => {
      lookups++;
      if (!online) throw new Error("no network");
      return ["5.9.0.7"];
    };
    const laptop = { ...names, clock, lookup };
    const servers = new StunServers(["stun:stun.example"], signaling);
    assert.deepEqual(await servers.addresses(laptop), []);
    assert.deepEqual(await servers.addresses(laptop), []);
    online = true;
    clock.advance(10_000);
    assert.equal((await servers.addresses(laptop)).length, 1);
    assert.equal(lookups, 2);
    clock.advance(299_999);
    await servers.addresses(laptop);
    assert.equal(lookups, 2);
    clock.advance(1);
    await servers.addresses(laptop);
    assert.equal(lookups, 3);
  });
});
