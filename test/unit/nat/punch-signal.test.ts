import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_CANDIDATES } from "../../../src/nat/candidate.ts";
import { readPunchSignal, writePunchSignal } from "../../../src/nat/punch-signal.ts";

const IDENTITY = { user: "abcdefgh", password: "0123456789abcdefghij-_AB" };
const CANDIDATE = { kind: "reflexive", address: "5.0.0.1", port: 5000 } as const;

test("a signal comes out of JSON as it went in", () => {
  const signal = {
    identity: IDENTITY,
    candidates: [CANDIDATE],
    nat: { mapping: "dependent", ports: "random" },
    opened: 3,
    ready: "birthday",
    again: IDENTITY.password,
  } as const;
  const json = JSON.parse(JSON.stringify(writePunchSignal(signal)));
  assert.deepEqual(readPunchSignal(json), { ...signal, malformed: 0 });
});

test("a signal with nothing to say is an empty one", () => {
  assert.deepEqual(writePunchSignal({ candidates: [] }), {});
  assert.deepEqual(readPunchSignal({}), { candidates: [], malformed: 0 });
});

test("what is no object, or has half an identity, is no signal", () => {
  for (const body of [
    null,
    1,
    "x",
    [],
    { user: "abcdefgh" },
    { password: IDENTITY.password },
    { ...IDENTITY, user: "a:b" },
    { ...IDENTITY, user: "" },
    { ...IDENTITY, password: "short" },
    { ...IDENTITY, password: "x".repeat(65) },
  ]) {
    assert.equal(readPunchSignal(body), undefined, JSON.stringify(body));
  }
});

test("candidates that make no sense are counted, the others stay", () => {
  const odd = [
    null,
    5,
    {},
    { ...CANDIDATE, kind: "relay" },
    { ...CANDIDATE, address: "example.org" },
    { ...CANDIDATE, address: "fe80::1%eth0" },
    { ...CANDIDATE, address: "224.0.0.1" },
    { ...CANDIDATE, port: 0 },
    { ...CANDIDATE, port: "80" },
  ];
  const read = readPunchSignal({ candidates: [...odd, { ...CANDIDATE, address: "::ffff:5.0.0.1" }] });
  assert.deepEqual(read?.candidates, [CANDIDATE]);
  assert.equal(read?.malformed, odd.length);
});

test("of any number of candidates the first sixteen are looked at", () => {
  const many = Array.from({ length: 500 }, (_, i) => ({ ...CANDIDATE, port: 1 + i }));
  const read = readPunchSignal({ candidates: many });
  assert.deepEqual([read?.candidates.length, read?.malformed], [MAX_CANDIDATES, 500 - MAX_CANDIDATES]);
});

test("numbers and words out of bounds are passed over", () => {
  const read = readPunchSignal({ opened: 17, ready: "x".repeat(33), again: "no", candidates: {} });
  assert.deepEqual(read, { candidates: [], malformed: 0 });
  assert.deepEqual(readPunchSignal({ opened: -1 }), { candidates: [], malformed: 0 });
});
