import assert from "node:assert/strict";
import { test } from "node:test";
import { describeBehaviour, isHard, obstacleBetween, readBehaviour } from "../../../src/nat/behaviour.ts";

test("what a peer says of its NATs is read field by field, and nonsense is unknown", () => {
  const sensible = {
    mapping: "dependent",
    filtering: "address-dependent",
    ports: 2,
    hairpin: true,
  };
  assert.deepEqual(readBehaviour(sensible), sensible);
  assert.deepEqual(readBehaviour({ ports: "random" }), { ports: "random" });
  for (const nonsense of [
    null,
    1,
    "x",
    [],
    {},
    { mapping: "cone", filtering: "dependent", ports: 0, hairpin: 1 },
    { ports: 17 },
    { ports: 1.5 },
    { ports: "sequential" },
    { mapping: {}, filtering: [] },
  ]) {
    assert.deepEqual(readBehaviour(nonsense), {});
  }
});

test("hard is what gives remote endpoints different outer ones, and unknown is neither", () => {
  assert.equal(isHard({}), undefined);
  assert.equal(isHard({ mapping: "endpoint-independent" }), false);
  for (const mapping of ["dependent", "address-dependent", "address-and-port-dependent"] as const) {
    assert.equal(isHard({ mapping }), true);
  }
});

test("two hard sides, and two of which nothing is known, have an obstacle between them", () => {
  const [easy, hard] = [{ mapping: "endpoint-independent" }, { mapping: "dependent" }] as const;
  assert.match(obstacleBetween(hard, hard) ?? "", /both sides' NATs/);
  assert.match(obstacleBetween({}, {}) ?? "", /no two STUN servers/);
  for (const [one, other] of [
    [easy, easy],
    [easy, hard],
    [hard, easy],
    [{}, hard],
  ] as const) {
    assert.equal(obstacleBetween(one, other), undefined);
  }
});

test("a behaviour is told in words", () => {
  assert.equal(describeBehaviour({}), "mapping unknown, filtering unknown, ports unknown");
  assert.equal(
    describeBehaviour({ mapping: "dependent", filtering: "address-dependent", ports: -1 }),
    "mapping dependent, filtering address-dependent, ports in steps of -1",
  );
});
