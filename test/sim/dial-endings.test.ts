import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeOf, OnetpError } from "../../src/base/errors.ts";
import type { ScriptedChannel } from "../kit/scripted-transport.ts";
import { Dialling, nameOf } from "./dialling.ts";
import { hang, open, refuse } from "./outcomes.ts";

/** The reason of the signal of each dial, by its code; undefined where it is not aborted. */
function reasons({ transport }: Dialling): Record<string, string | undefined> {
  return Object.fromEntries(
    transport.dials.map(({ endpoint, context }) => [nameOf(endpoint), codeOf(context.signal.reason)]),
  );
}

function channelOf({ transport }: Dialling, name: string): ScriptedChannel | undefined {
  return transport.dials.find(({ endpoint }) => nameOf(endpoint) === name)?.channel;
}

const parallel = { scheduler: "parallel" } as const;

describe("the losers of a race", () => {
  it("are aborted when another wins, and say so in the report without an error", async () => {
    const dial = await new Dialling({ a: open(10), b: hang, c: refuse(5), d: open(20) }, parallel).dial();
    assert.deepEqual(reasons(dial), { a: undefined, b: "ABORT_ERR", c: undefined, d: "ABORT_ERR" });
    assert.deepEqual(
      dial.socket.report.map(({ error }) => codeOf(error)),
      [undefined, undefined, "ECONNREFUSED", undefined],
    );
    dial.assertTidy("a");
  });

  it("that open a channel all the same have it aborted", async () => {
    const late = { ...open(10_000), heedless: true };
    const dial = await new Dialling({ a: open(10), b: late }, parallel).dial();
    assert.deepEqual(channelOf(dial, "b")?.calls, ["abort"]);
    assert.deepEqual(dial.report, ["a won 0-10", "b aborted 0-10"]);
    dial.assertTidy("a");
  });

  it("that fail later change nothing", async () => {
    const late = { ...refuse(50), heedless: true };
    const dial = await new Dialling({ a: open(10), b: late }, parallel).dial();
    assert.deepEqual(dial.events, ["connect@10"]);
    assert.deepEqual(dial.report, ["a won 0-10", "b aborted 0-10"]);
    dial.assertTidy("a");
  });

  it("that open in the same turn have their channels aborted: one wins", async () => {
    for (const heedless of [false, true]) {
      const script = {
        a: hang,
        b: { ...open(10), heedless },
        c: { ...open(10), heedless },
        d: { ...open(10), heedless },
      };
      const dial = await new Dialling(script, parallel).dial();
      assert.deepEqual(dial.events, ["connect@10"]);
      assert.deepEqual(dial.report, ["a aborted 0-10", "b won 0-10", "c aborted 0-10", "d aborted 0-10"]);
      dial.assertTidy("b");
    }
  });

  it("that fail in the turn of the success begin no further attempt", async () => {
    const scheduler = {
      plan: (candidates: readonly never[]) =>
        candidates.map((candidate, i) => ({ candidate, startAfter: i === 2 ? 1_000 : 0 })),
    };
    const dial = new Dialling(
      { a: open(10), b: { ...refuse(10), heedless: true }, c: open(0) },
      { scheduler },
    );
    await dial.dial();
    assert.deepEqual(dial.starts, ["a@0", "b@0"]);
    assert.deepEqual(dial.report, ["a won 0-10", "b aborted 0-10", "c planned"]);
    dial.assertTidy("a");
  });
});

describe("an attempt that breaks its promises", () => {
  it("by throwing in dial has failed", async () => {
    const dial = await new Dialling({
      a: { does: "throw", error: new TypeError("mine") },
      b: open(5),
    }).dial();
    assert.deepEqual(dial.report, ["a failed 0-0", "b won 0-5"]);
    assert.equal(dial.socket.report[0]?.error?.message, "mine");
    dial.assertTidy("b");
  });

  it("by failing with what is no Error has failed with an Error about it", async () => {
    const values = [
      "text",
      undefined,
      null,
      5,
      {},
      Object.create(null),
      Symbol("s"),
      { code: "ECONNREFUSED" },
    ];
    for (const error of values) {
      const dial = await new Dialling({ a: { does: "fail", error } }).dial();
      const [attempt] = dial.socket.report;
      assert.ok(attempt?.error instanceof Error);
      assert.equal(attempt.error.cause, error);
      assert.equal(dial.error?.code, codeOf(error) ?? "ERR_1TP_ALL_ATTEMPTS_FAILED");
      dial.assertTidy();
    }
  });

  it("by opening after its time is up has its channel aborted, and the next goes on", async () => {
    const late = { ...open(7_000), heedless: true };
    const dial = await new Dialling({ a: late, b: open(3_000) }, { scheduler: "sequential" }).dial();
    assert.deepEqual(dial.events, ["connect@8000"]);
    assert.deepEqual(dial.report, ["a failed 0-5000", "b won 5000-8000"]);
    assert.equal(codeOf(dial.socket.report[0]?.error), "ETIMEDOUT");
    assert.deepEqual(channelOf(dial, "a")?.calls, ["abort"]);
    dial.assertTidy("b");
  });

  it("by hanging for ever, deaf to its signal, holds nothing up", async () => {
    const dial = await new Dialling({ a: { ...hang, heedless: true }, b: open(1) }).dial();
    assert.deepEqual(dial.events, ["connect@251"]);
    dial.assertTidy("b");
  });
});

describe("a socket that is destroyed while it dials", () => {
  for (const error of [undefined, new Error("mine")]) {
    const how = error ? "with an error" : "without an error";
    it(`${how} aborts every attempt and begins none`, async () => {
      const late = { ...open(5_000), heedless: true };
      const dial = new Dialling({ a: hang, b: late, c: open(1_000), d: open(0) });
      await dial.dial(600);
      dial.socket.destroy(error);
      await dial.clock.advanceAsync(100_000);
      assert.deepEqual(dial.starts, ["a@0", "b@250", "c@500"]);
      assert.deepEqual(dial.report, [
        "a aborted 0-600",
        "b aborted 250-600",
        "c aborted 500-600",
        "d planned",
      ]);
      assert.deepEqual(dial.events, error ? ["error undefined@600", "close after error@600"] : ["close@600"]);
      assert.equal(dial.error, error);
      dial.assertTidy();
    });
  }

  it("in the turn in which an attempt succeeds has the channel aborted", async () => {
    const dial = new Dialling({ a: open(10), b: hang }, parallel);
    dial.socket.connect(dial.info);
    const { context } = dial.transport.dials[1]!;
    context.signal.addEventListener("abort", () => dial.socket.destroy());
    await dial.clock.advanceAsync(1_000);
    assert.deepEqual(dial.events, ["close@10"]);
    dial.assertTidy();
  });

  it("by what a transport does in dial begins no other attempt", async () => {
    const dial = new Dialling({ a: hang, b: open(0), c: open(0) }, parallel);
    const { transport } = dial;
    const begin = transport.dial.bind(transport);
    transport.dial = (endpoint, context) => {
      const promise = begin(endpoint, context);
      dial.socket.destroy();
      return promise;
    };
    await dial.dial();
    assert.deepEqual(dial.starts, ["a@0"]);
    assert.deepEqual(dial.report, ["a aborted 0-0", "b planned", "c planned"]);
    dial.assertTidy();
  });

  it("by its abort signal fails with ABORT_ERR", async () => {
    const controller = new AbortController();
    const dial = new Dialling({ a: hang, b: hang }, { signal: controller.signal });
    await dial.dial(300);
    controller.abort(new Error("enough"));
    await dial.clock.advanceAsync(100_000);
    assert.deepEqual(dial.events, ["error ABORT_ERR@300", "close after error@300"]);
    assert.equal(dial.error?.name, "AbortError");
    assert.deepEqual(reasons(dial), { a: "ABORT_ERR", b: "ABORT_ERR" });
    assert.deepEqual(dial.report, ["a aborted 0-300", "b aborted 250-300"]);
    dial.assertTidy();
  });

  it("before it dials, by a signal that has aborted already, dials nothing", async () => {
    const dial = new Dialling({ a: open(0) }, { signal: AbortSignal.abort() });
    await dial.clock.advanceAsync(1_000);
    assert.deepEqual(dial.events, ["error ABORT_ERR@0", "close after error@0"]);
    assert.deepEqual(dial.starts, []);
    dial.assertTidy();
  });
});

describe("after a dial", () => {
  it("that failed the socket may dial again", async () => {
    let outcome = refuse(10);
    const dial = new Dialling({
      get a() {
        return outcome;
      },
    });
    await dial.dial(50);
    outcome = open(10);
    await dial.dial(50);
    assert.deepEqual(dial.events, ["error ECONNREFUSED@10", "close after error@10", "connect@60"]);
    assert.deepEqual(dial.report, ["a won 0-10"]);
    dial.assertTidy("a");
  });

  it("that was given up at once another may be begun, and the first one's channel is not taken", async () => {
    const dial = new Dialling({ a: { ...open(10), heedless: true } });
    await dial.dial(5);
    dial.socket.destroy();
    await dial.dial(1_000);
    assert.deepEqual(dial.starts, ["a@0", "a@5"]);
    assert.deepEqual(dial.events, ["close@5", "connect@15"]);
    assert.deepEqual(
      dial.transport.dials.map(({ channel }) => channel?.aborted),
      [true, false],
    );
    assert.equal(dial.clock.armed, 0);
  });

  it("the promise of connectP is settled as the events say", async () => {
    const won = new Dialling({ a: open(10) });
    assert.equal(await won.clock.run(() => won.socket.connectP(won.info)), won.socket);
    const lost = new Dialling({
      a: refuse(10),
      b: { does: "fail", error: new OnetpError("ERR_1TP_UNSUPPORTED") },
    });
    await assert.rejects(
      lost.clock.run(() => lost.socket.connectP(lost.info)),
      {
        name: "OnetpError",
        code: "ERR_1TP_ALL_ATTEMPTS_FAILED",
        message: /ECONNREFUSED.*ERR_1TP_UNSUPPORTED/,
      },
    );
    const closed = new Dialling({ a: hang });
    const pending = closed.socket.connectP(closed.info);
    closed.socket.destroy();
    await assert.rejects(pending, { code: "ERR_SOCKET_CLOSED_BEFORE_CONNECTION" });
  });
});

describe("the report of a dial", () => {
  it("tells of each attempt as far as it got, while the dial runs", async () => {
    const script = {
      a: { ...refuse(100), phases: ["gather", "punch"] },
      b: { ...hang, phases: ["signal"] },
      c: open(0),
    } as const;
    const dial = new Dialling(script);
    dial.socket.connect(dial.info);
    const { report } = dial.socket;
    assert.deepEqual(dial.report, ["a running 0-", "b planned", "c planned"]);
    await dial.clock.advanceAsync(200);
    assert.deepEqual(dial.report, ["a failed 0-100", "b running 100-", "c planned"]);
    await dial.clock.advanceAsync(200);
    assert.deepEqual(dial.report, ["a failed 0-100", "b aborted 100-350", "c won 350-350"]);
    assert.deepEqual(
      dial.socket.report.map(({ phase }) => phase),
      ["punch", "signal", "handshake"],
    );
    assert.equal(dial.socket.report, report, "it is one report, kept up to date");
    assert.deepEqual(
      report.map(({ endpoint, transport, cost }) => [endpoint, transport, cost]),
      dial.info.map((endpoint) => [endpoint, "scripted", 0]),
    );
  });

  it("is not changed by what an attempt says after its end", async () => {
    const dial = await new Dialling({ a: refuse(10), b: open(10) }, parallel).dial();
    for (const { context } of dial.transport.dials) context.onPhase("signal");
    assert.deepEqual(
      dial.socket.report.map(({ phase }) => phase),
      ["connect", "handshake"],
    );
  });
});
