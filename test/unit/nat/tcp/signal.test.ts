import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_CANDIDATES } from "../../../../src/nat/candidate.ts";
import { readTcpSignal, writeTcpSignal } from "../../../../src/nat/tcp/signal.ts";

const IDENTITY = { user: "abcdefgh", password: "0123456789abcdefghij-_AB" };
const CANDIDATE = { kind: "listening", address: "5.0.0.1", port: 5000 } as const;

test("a signal comes out of JSON as it went in", () => {
  const signal = {
    identity: IDENTITY,
    candidates: [CANDIDATE],
    nat: { mapping: "dependent", ports: "random" },
    complete: true,
    ask: true,
    answer: true,
    go: true,
    spent: true,
  } as const;
  const json = JSON.parse(JSON.stringify(writeTcpSignal(signal)));
  assert.deepEqual(readTcpSignal(json), { ...signal, malformed: 0 });
  assert.deepEqual(readTcpSignal({}), { candidates: [], malformed: 0 });
});

test("what is no object, or has half an identity, is no signal", () => {
  for (const body of [null, 1, "go", [], { user: "abcdefgh" }, { ...IDENTITY, password: "short" }]) {
    assert.equal(readTcpSignal(body), undefined, JSON.stringify(body));
  }
});

test("of what makes no sense the rest counts, and candidates beyond the sixteenth do not", () => {
  const odd = [
    null,
    { ...CANDIDATE, kind: "predicted" },
    { ...CANDIDATE, kind: "toString" },
    { ...CANDIDATE, port: 0 },
    { ...CANDIDATE, address: "fe80::1%lo" },
    { ...CANDIDATE, address: "example.org" },
  ];
  const read = readTcpSignal({ go: 1, ask: "yes", spent: false, candidates: [...odd, CANDIDATE] });
  assert.deepEqual(read, { candidates: [CANDIDATE], malformed: odd.length });
  const many = readTcpSignal({ candidates: new Array(500).fill(CANDIDATE) });
  assert.deepEqual([many?.candidates.length, many?.malformed], [MAX_CANDIDATES, 500 - MAX_CANDIDATES]);
});
