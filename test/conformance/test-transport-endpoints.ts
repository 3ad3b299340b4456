import assert from "node:assert/strict";
import fc from "fast-check";
import { codeOf } from "../../src/base/errors.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import { dialContext, listen, type TransportSetup, type TransportTest } from "./station.ts";

/** Chosen: thousands of values, within a second or two. */
const RUNS = 3000;

/** Whose entries a transport takes, and that nothing a stranger writes upsets it. Part of `testTransport`. */
export function testTransportEndpoints(check: TransportTest, setup: TransportSetup): void {
  check("it announces plain JSON entries of its type and accepts them", async () => {
    const station = await listen(setup);
    const { endpoints } = station.listener;
    assert.notEqual(endpoints.length, 0);
    assert.deepEqual(JSON.parse(JSON.stringify(endpoints)), endpoints);
    for (const endpoint of endpoints) {
      assert.equal(endpoint.transportType, station.transport.type);
      assert.equal(station.transport.accepts(endpoint), true);
      const other = { ...endpoint, version: "0.0.1", publicKey: "AAAA" };
      assert.equal(station.transport.accepts(other), true);
    }
    await station.close();
  });

  check("its traits are a finite cost and two flags", async () => {
    const transport = setup.create();
    const { cost, relayed, signaled } = transport.traits;
    assert.equal(Number.isFinite(cost), true);
    assert.deepEqual([typeof relayed, typeof signaled], ["boolean", "boolean"]);
    assert.equal(transport.connectTimeout > 0, true);
    await setup.dispose?.(transport);
  });

  const anything = fc.anything({ withNullPrototype: true, withBigInt: true, withSparseArray: true });

  async function forOwnEntry(
    body: (accepts: (entry: unknown) => boolean, own: Endpoint) => void,
  ): Promise<void> {
    const station = await listen(setup);
    try {
      body((entry) => station.transport.accepts(entry as Endpoint), station.listener.endpoints[0]!);
    } finally {
      await station.close();
    }
  }

  check("entries of another type are not accepted, however good they look", () =>
    forOwnEntry((accepts, own) => {
      fc.assert(
        fc.property(anything, (transportType) => {
          if (transportType !== own.transportType) assert.equal(accepts({ ...own, transportType }), false);
        }),
        { numRuns: RUNS },
      );
    }),
  );

  check("whatever is no entry is not accepted", () =>
    forOwnEntry((accepts, own) => {
      fc.assert(
        fc.property(anything, (value) => {
          assert.equal(accepts(value), false);
          // Chance may hit upon the only field there is.
          const fields = Object.keys(value ?? {});
          if (Object.keys(own.transportInfo).some((name) => !fields.includes(name)))
            assert.equal(accepts({ transportType: own.transportType, transportInfo: value }), false);
          assert.equal(accepts([value]), false);
        }),
        { numRuns: RUNS },
      );
      for (const value of [undefined, null, {}, [], "", 0]) assert.equal(accepts(value), false);
    }),
  );

  check("an entry with a foreign value in any one place never throws", () =>
    forOwnEntry((accepts, own) => {
      const field = fc.constantFrom(...Object.keys(own.transportInfo));
      fc.assert(
        fc.property(field, fc.oneof(anything, fc.string({ maxLength: 2000 }), fc.ipV6()), (name, value) => {
          const entry = { ...own, transportInfo: { ...own.transportInfo, [name]: value } };
          const wrongKind = typeof value !== typeof own.transportInfo[name] || value === null;
          const verdict = accepts(entry);
          assert.equal(typeof verdict, "boolean");
          if (wrongKind) assert.equal(verdict, false);
        }),
        { numRuns: RUNS },
      );
    }),
  );

  check("a dial of an entry that is not accepted rejects with a code", async () => {
    const transport = setup.create();
    const entry = { transportType: transport.type, transportInfo: { nothing: "useful" } };
    const { signal } = new AbortController();
    await assert.rejects(transport.dial(entry, dialContext(setup, signal)), (error) => {
      assert.equal(codeOf(error), "ERR_1TP_BAD_ADDRESS");
      return true;
    });
    await setup.dispose?.(transport);
  });
}
