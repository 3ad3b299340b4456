import assert from "node:assert/strict";
import { test } from "node:test";
import type { Runtime } from "../../../src/contract/runtime.ts";
import { Socket } from "../../../src/net/socket.ts";
import { Turnstile } from "../../../src/net/turnstile.ts";
import { ScriptedTransport } from "../../kit/scripted-transport.ts";
import { simulatedRuntime } from "../../kit/simulated-runtime.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";

/** A runtime whose turns the test takes. */
function bench() {
  const clock = new VirtualClock();
  const turns: (() => void)[] = [];
  const runtime: Runtime = { ...simulatedRuntime(clock), afterInput: (task) => void turns.push(task) };
  const turn = () => {
    for (const task of turns.splice(0)) task();
  };
  return { clock, runtime, turns, turn };
}

test("eight begin at once, the others in their order, eight in a turn", () => {
  const { runtime, turns, turn } = bench();
  const turnstile = new Turnstile(runtime);
  const begun: number[] = [];
  for (let i = 0; i < 20; i++) turnstile.pass(() => begun.push(i) > 0);
  const counts = [begun.length];
  for (; turns.length > 0; counts.push(begun.length)) turn();
  assert.deepEqual(counts, [8, 16, 20]);
  assert.deepEqual(begun, [...Array(20).keys()]);
});

test("who comes alone waits for nothing", () => {
  const { runtime, turns, turn } = bench();
  const turnstile = new Turnstile(runtime);
  let begun = 0;
  for (let i = 1; i <= 30; i++) {
    turnstile.pass(() => ++begun > 0);
    assert.equal(begun, i);
    assert.ok(turns.length <= 1);
    turn();
  }
});

test("who was given up while it waited takes no place", () => {
  const { runtime, turns, turn } = bench();
  const turnstile = new Turnstile(runtime);
  const begun: number[] = [];
  for (let i = 0; i < 1000; i++) {
    turnstile.pass(() => {
      if (i % 100 === 0) begun.push(i);
      return i % 100 === 0;
    });
  }
  assert.deepEqual(begun, [0, 100, 200, 300, 400, 500, 600, 700]);
  turn();
  assert.deepEqual([begun.length, turns.length], [10, 0]);
});

test("a dial that is given up while it waits begins nothing", async () => {
  const { clock, runtime, turns, turn } = bench();
  const transport = new ScriptedTransport(clock, () => ({ does: "open" }));
  const sockets = Array.from({ length: 12 }, () =>
    new Socket([transport], { runtime, security: "none" }).connect({
      transportType: "scripted",
      transportInfo: {},
    }),
  );
  assert.equal(transport.dials.length, 8);
  sockets[10]!.destroy();
  while (turns.length > 0) turn();
  await clock.advanceAsync(1);
  assert.equal(transport.dials.length, 11);
  assert.deepEqual(
    sockets.map((socket) => socket.isConnected()),
    sockets.map((_, i) => i !== 10),
  );
});
