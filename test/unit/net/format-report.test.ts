import assert from "node:assert/strict";
import { test } from "node:test";
import { type AttemptReport, formatReport } from "1tp";

const endpoint = (address: string) => ({ transportType: "tcp", transportInfo: { address, port: 9 } });

const attempt = (report: Partial<AttemptReport>): AttemptReport => ({
  transport: "tcp",
  endpoint: endpoint("127.0.0.1"),
  cost: 10,
  start: undefined,
  end: undefined,
  phase: "connect",
  outcome: "planned",
  error: undefined,
  ...report,
});

test("a report is a line per attempt, each with its bar in its place", () => {
  const text = formatReport([
    attempt({ start: 0, end: 50, outcome: "failed", error: new Error("refused") }),
    attempt({ endpoint: endpoint("::1"), start: 50, end: 100, outcome: "won" }),
    attempt({}),
  ]);
  assert.deepEqual(text.split("\n"), [
    `tcp 127.0.0.1:9 |${"=".repeat(20)}${" ".repeat(20)}| 0 to 50 ms, failed in connect: refused`,
    `tcp [::1]:9     |${" ".repeat(20)}${"=".repeat(20)}| 50 to 100 ms, won`,
    `tcp 127.0.0.1:9 |${" ".repeat(40)}| not begun`,
  ]);
});

test("the winner's way is told where the transport has chosen one", () => {
  const end = { type: "host", address: "127.0.0.1", port: 1 };
  const won = (relayed: boolean, type: string): AttemptReport =>
    attempt({ start: 0, end: 1, outcome: "won", path: { relayed, local: end, remote: { type } } });
  assert.match(formatReport([won(false, "srflx")]), /, won, direct \(host to srflx\)$/);
  assert.match(formatReport([won(true, "relay")]), /, won, relayed \(host to relay\)$/);
});

test("an attempt that still runs has a bar up to now, and an empty report no lines", () => {
  const running = formatReport([attempt({ start: 10, end: 20, outcome: "failed" }), attempt({ start: 10 })]);
  assert.match(running, /\| {20}={20}\| 10 to 20 ms, planned$/);
  assert.equal(formatReport([]), "");
});
