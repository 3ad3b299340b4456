import assert from "node:assert/strict";
import { test } from "node:test";
import { DialogInbox, MAX_WAITING } from "../../../src/base/dialog-inbox.ts";

/** An inbox whose deferred tasks run when the test says so. */
function bench() {
  const tasks: (() => void)[] = [];
  const told: unknown[] = [];
  const inbox = new DialogInbox((task) => tasks.push(task));
  return {
    inbox,
    told,
    sink: {
      onSignal: (body: unknown) => void told.push(body),
      onClose: (error?: Error) => void told.push(error ?? "closed"),
    },
    run() {
      for (let task = tasks.shift(); task; task = tasks.shift()) task();
    },
  };
}

test("nothing is told before attach, nor inside any call", () => {
  const { inbox, told, sink, run } = bench();
  inbox.push(1);
  run();
  inbox.attach(sink);
  inbox.push(2);
  inbox.end();
  assert.deepEqual(told, []);
  run();
  assert.deepEqual(told, [1, 2, "closed"]);
});

test("the first end counts, is told once, and nothing follows it", () => {
  const { inbox, told, sink, run } = bench();
  const error = new Error("first");
  inbox.attach(sink);
  inbox.end(error);
  inbox.end();
  assert.equal(inbox.push(1), true);
  assert.equal(inbox.ended, true);
  run();
  inbox.end();
  run();
  assert.deepEqual(told, [error]);
});

test("a bounded number waits for a sink", () => {
  const { inbox, told, sink, run } = bench();
  for (let i = 0; i < MAX_WAITING; i++) assert.equal(inbox.push(i), true);
  assert.equal(inbox.push("one too many"), false);
  inbox.attach(sink);
  run();
  assert.equal(told.length, MAX_WAITING);
  for (let i = 0; i <= MAX_WAITING; i++) assert.equal(inbox.push(i), true);
});

test("what a sink brings about is told after what was there", () => {
  const { inbox, told, run } = bench();
  inbox.push("first");
  inbox.attach({
    onSignal(body) {
      told.push(body);
      if (body === "first") inbox.push("second");
      inbox.end();
    },
    onClose: () => void told.push("closed"),
  });
  run();
  assert.deepEqual(told, ["first", "second", "closed"]);
});
