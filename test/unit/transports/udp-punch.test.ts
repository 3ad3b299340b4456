import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runtime } from "#platform";
import { LocalHub, LocalSignaling } from "../../../signaling/local/index.ts";
import { codeOf } from "../../../src/base/errors.ts";
import type { Runtime } from "../../../src/contract/runtime.ts";
import { UdpPunchTransport, type UdpPunchTransportOptions } from "../../../transports/udp-punch/index.ts";

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
    [{ signaling, portMapping: "upnp" }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, cost: Number.NaN }, "ERR_OUT_OF_RANGE"],
    [{ signaling, connectTimeout: -1 }, "ERR_OUT_OF_RANGE"],
    [{ signaling, bufferSize: 0 }, "ERR_OUT_OF_RANGE"],
    [{ signaling, keepAlive: "often" }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, congestion: "none" }, "ERR_INVALID_ARG_VALUE"],
  ] as const) {
    test(`throws ${code} for ${JSON.stringify(wrong, ["stunServers", "reach", "portMapping", "cost", "connectTimeout"])}`, () => {
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
