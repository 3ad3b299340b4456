import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, it } from "node:test";
import type { AttemptReport } from "../../src/net/report.ts";
import { Dialling, nameOf } from "./dialling.ts";
import { hang, open, refuse } from "./outcomes.ts";

/** What `1tp:attempt` says while the task runs. */
async function heard(task: () => Promise<unknown>): Promise<string[]> {
  const messages: string[] = [];
  const listen = (message: unknown): void => {
    const { endpoint, outcome, start, end, error } = message as AttemptReport;
    messages.push(`${nameOf(endpoint)} ${outcome} ${start}-${end}${error ? ` ${error.message}` : ""}`);
  };
  subscribe("1tp:attempt", listen);
  try {
    await task();
  } finally {
    unsubscribe("1tp:attempt", listen);
  }
  return messages;
}

describe("the diagnostics channel 1tp:attempt", () => {
  it("has one message for each attempt that failed or won, when it did", async () => {
    const script = { a: refuse(10), b: hang, c: open(300), d: open(0) };
    const messages = await heard(() => new Dialling(script, { connectTimeout: 10_000 }).dial());
    assert.deepEqual(messages, ["a failed 0-10 connect ECONNREFUSED", "d won 510-510"]);
  });

  it("has a message for each attempt that the end of the whole dial cut off", async () => {
    const script = { a: refuse(10), b: hang, c: hang };
    const messages = await heard(() => new Dialling(script, { connectTimeout: 200 }).dial());
    assert.deepEqual(messages, ["a failed 0-10 connect ECONNREFUSED", "b failed 10-200 connect ETIMEDOUT"]);
  });

  it("is silent about attempts that were given up or never began", async () => {
    const messages = await heard(async () => {
      const dial = await new Dialling({ a: hang, b: open(0) }, { scheduler: "sequential" }).dial(100);
      dial.socket.destroy();
      await dial.clock.advanceAsync(100_000);
    });
    assert.deepEqual(messages, []);
  });
});
