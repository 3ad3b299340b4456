import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runtime } from "#platform";
import { LocalHub, LocalSignaling } from "../../../signaling/local/index.ts";
import { codeOf } from "../../../src/base/errors.ts";
import type { Runtime } from "../../../src/contract/runtime.ts";
import { UdpPunchTransport, type UdpPunchTransportOptions } from "../../../transports/udp-punch/index.ts";
import { StunServers } from "../../../transports/udp-punch/stun-servers.ts";

const signaling = new LocalSignaling({ hub: new LocalHub() });

describe("the constructor of udp-punch", () => {
  for (const [wrong, code] of [
    [undefined, "ERR_INVALID_ARG_TYPE"],
    [{}, "ERR_INVALID_ARG_TYPE"],
    [{ signaling: {} }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, stunServers: "stun:5.9.0.1" }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, stunServers: [1] }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, stunServers: ["5.9.0.1"] }, "ERR_INVALID_ARG_VALUE"],
    [{ signaling, reach: "public" }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, cost: Number.NaN }, "ERR_OUT_OF_RANGE"],
    [{ signaling, connectTimeout: -1 }, "ERR_OUT_OF_RANGE"],
    [{ signaling, bufferSize: 0 }, "ERR_OUT_OF_RANGE"],
    [{ signaling, keepAlive: "often" }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, congestion: "none" }, "ERR_INVALID_ARG_VALUE"],
  ] as const) {
    test(`throws ${code} for ${JSON.stringify(wrong, ["stunServers", "reach", "cost", "connectTimeout"])}`, () => {
      assert.throws(() => new UdpPunchTransport(wrong as unknown as UdpPunchTransportOptions), { code });
    });
  }

  test("has the cost and the patience of the table", () => {
    const transport = new UdpPunchTransport({ signaling });
    assert.deepEqual(transport.traits, { cost: 40, relayed: false, signaled: true, datagrams: true });
    assert.equal(transport.connectTimeout, 15_000);
    assert.equal(new UdpPunchTransport({ signaling, cost: 5 }).traits.cost, 5);
  });
});

test("without UDP, and without dialogs, udp-punch says so", async () => {
  const transport = new UdpPunchTransport({ signaling });
  const { bindDatagram: _, ...without } = runtime;
  const entry = {
    transportType: "udp-punch",
    transportInfo: { type: "local-signaling", uid: "0".repeat(32) },
  };
  const { signal } = new AbortController();
  const unsupported = (error: unknown): boolean => codeOf(error) === "ERR_1TP_UNSUPPORTED";
  for (const place of [without as Runtime, runtime]) {
    await assert.rejects(transport.dial(entry, { runtime: place, signal, onPhase() {} }), unsupported);
    const listening = transport.listen({
      runtime: place,
      listeningInfo: [],
      exclusive: false,
      onChannel() {},
      onError() {},
    });
    await assert.rejects(listening, unsupported);
  }
});

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
  });
});
