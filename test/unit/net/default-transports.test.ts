import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultTransports, setDefaultTransports } from "../../../src/net/default-transports.ts";
import { plannedTransport } from "../scheduler/candidate.ts";

test("the default transports are made anew for everybody who asks, once a runtime has named them", () => {
  assert.throws(() => defaultTransports(), /the entry of a runtime sets the default transports/);
  setDefaultTransports(() => [plannedTransport("a"), plannedTransport("b")]);
  const [first, second] = [defaultTransports(), defaultTransports()];
  assert.deepEqual(
    first.map(({ type }) => type),
    ["a", "b"],
  );
  assert.notEqual(first[0], second[0]);
});
