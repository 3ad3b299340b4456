import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Socket } from "../../src/net/socket.ts";
import { Dialling } from "./dialling.ts";
import { hang, open, refuse } from "./outcomes.ts";

describe("a dial of one endpoint", () => {
  it("connects when the transport does", async () => {
    const dial = await new Dialling({ a: open(17) }).dial();
    assert.deepEqual(dial.events, ["connect@17"]);
    assert.deepEqual(dial.report, ["a won 0-17"]);
    assert.equal(dial.socket.transport, "scripted");
    assert.deepEqual(dial.socket.remoteAddress, dial.info[0]);
    dial.assertTidy("a");
  });

  it("fails when the transport does", async () => {
    const dial = await new Dialling({ a: refuse(17) }).dial();
    assert.deepEqual(dial.events, ["error ECONNREFUSED@17", "close after error@17"]);
    assert.deepEqual(dial.report, ["a failed 0-17"]);
    dial.assertTidy();
  });

  it("takes at most the transport's connectTimeout", async () => {
    const dial = await new Dialling({ "10.0.0.1": hang }, {}, { connectTimeout: 1_234 }).dial();
    assert.deepEqual(dial.events, ["error ETIMEDOUT@1234", "close after error@1234"]);
    assert.equal(dial.error?.message, "connect ETIMEDOUT 10.0.0.1:80");
    assert.deepEqual(dial.report, ["10.0.0.1 failed 0-1234"]);
    dial.assertTidy();
  });
});

describe("a sequential dial", () => {
  const options = { scheduler: "sequential" } as const;

  it("begins the next attempt when the one before has failed", async () => {
    const dial = await new Dialling(
      { a: refuse(100), b: refuse(20), c: open(5), d: open(1) },
      options,
    ).dial();
    assert.deepEqual(dial.starts, ["a@0", "b@100", "c@120"]);
    assert.deepEqual(dial.events, ["connect@125"]);
    assert.deepEqual(dial.report, ["a failed 0-100", "b failed 100-120", "c won 120-125", "d planned"]);
    dial.assertTidy("c");
  });

  it("costs the sum of the time-outs when nothing answers", async () => {
    const dial = await new Dialling({ a: hang, b: hang, c: hang }, options).dial();
    assert.deepEqual(dial.starts, ["a@0", "b@5000", "c@10000"]);
    assert.deepEqual(dial.events, ["error ETIMEDOUT@15000", "close after error@15000"]);
    dial.assertTidy();
  });
});

describe("a parallel dial", () => {
  const options = { scheduler: "parallel" } as const;

  it("begins all attempts at once and takes the first that succeeds", async () => {
    const dial = await new Dialling({ a: open(30), b: refuse(5), c: open(20), d: hang }, options).dial();
    assert.deepEqual(dial.starts, ["a@0", "b@0", "c@0", "d@0"]);
    assert.deepEqual(dial.events, ["connect@20"]);
    assert.deepEqual(dial.report, ["a aborted 0-20", "b failed 0-5", "c won 0-20", "d aborted 0-20"]);
    dial.assertTidy("c");
  });

  it("fails with the last failure", async () => {
    const dial = await new Dialling({ a: refuse(30), b: refuse(5), c: refuse(20) }, options).dial();
    assert.deepEqual(dial.events, ["error ECONNREFUSED@30", "close after error@30"]);
    dial.assertTidy();
  });

  it("is what parallelConnectionSetup asks for", async () => {
    const dial = await new Dialling({ a: hang, b: hang }, { parallelConnectionSetup: true }).dial(0);
    assert.deepEqual(dial.starts, ["a@0", "b@0"]);
  });
});

describe("a staggered dial", () => {
  it("is the default, with 250 ms between two starts", async () => {
    const dial = await new Dialling({ a: hang, b: hang, c: open(40), d: open(1) }).dial();
    assert.deepEqual(dial.starts, ["a@0", "b@250", "c@500"]);
    assert.deepEqual(dial.events, ["connect@540"]);
    assert.deepEqual(dial.report, ["a aborted 0-540", "b aborted 250-540", "c won 500-540", "d planned"]);
    dial.assertTidy("c");
  });

  it("begins the next 30 ms after an attempt on the LAN", async () => {
    const dial = await new Dialling({ "8.8.8.8": hang, "10.0.0.1": hang, "10.0.0.2": hang, a: hang }).dial(
      1_000,
    );
    assert.deepEqual(dial.starts, ["10.0.0.1@0", "10.0.0.2@30", "8.8.8.8@60", "a@310"]);
  });

  it("begins the next at once after a failure, and counts the delay after it from there", async () => {
    const dial = await new Dialling({ a: refuse(10), b: hang, c: hang, d: open(0) }).dial();
    assert.deepEqual(dial.starts, ["a@0", "b@10", "c@260", "d@510"]);
    dial.assertTidy("d");
  });

  it("lets a slow first attempt win", async () => {
    const dial = await new Dialling({ a: open(600), b: open(1_000), c: open(1_000) }).dial();
    assert.deepEqual(dial.starts, ["a@0", "b@250", "c@500"]);
    assert.deepEqual(dial.events, ["connect@600"]);
    dial.assertTidy("a");
  });

  it("fails only when every attempt has, the time-outs overlapping", async () => {
    const dial = await new Dialling({ a: hang, b: hang, c: hang }).dial();
    assert.deepEqual(dial.report, ["a failed 0-5000", "b failed 250-5250", "c failed 500-5500"]);
    assert.deepEqual(dial.events, ["error ETIMEDOUT@5500", "close after error@5500"]);
    dial.assertTidy();
  });
});

describe("the time for a whole dial", () => {
  it("is 60 seconds unless said otherwise", async () => {
    const dial = await new Dialling({ a: hang }, {}, { connectTimeout: 1_000_000 }).dial();
    assert.deepEqual(dial.events, ["error ETIMEDOUT@60000", "close after error@60000"]);
    dial.assertTidy();
  });

  it("ends all attempts at once, each failed with ETIMEDOUT", async () => {
    const script = { a: refuse(4), "10.0.0.1": hang, b: { ...hang, heedless: true }, c: hang };
    const dial = await new Dialling(script, { connectTimeout: 300, scheduler: "staggered" }).dial();
    assert.deepEqual(dial.starts, ["10.0.0.1@0", "a@30", "b@34", "c@284"]);
    assert.deepEqual(dial.report, [
      "10.0.0.1 failed 0-300",
      "a failed 30-34",
      "b failed 34-300",
      "c failed 284-300",
    ]);
    assert.deepEqual(dial.events, ["error ETIMEDOUT@300", "close after error@300"]);
    assert.equal(
      dial.error?.message,
      "connect ETIMEDOUT: no attempt succeeded within 300 ms: scripted 10.0.0.1:80 ETIMEDOUT (connect, 300 ms), " +
        "scripted ECONNREFUSED (connect, 4 ms), scripted ETIMEDOUT (connect, 266 ms), scripted ETIMEDOUT (connect, 16 ms)",
    );
    assert.ok(dial.error?.cause instanceof AggregateError);
    assert.equal(dial.error.cause.errors.length, 4);
    dial.assertTidy();
  });

  it("begins no attempt when it ends, though all that ran have failed", async () => {
    const dial = await new Dialling(
      { a: hang, b: open(0) },
      { connectTimeout: 100, scheduler: "sequential" },
    ).dial();
    assert.deepEqual(dial.starts, ["a@0"]);
    assert.deepEqual(dial.report, ["a failed 0-100", "b planned"]);
    assert.deepEqual(dial.events, ["error ETIMEDOUT@100", "close after error@100"]);
    dial.assertTidy();
  });

  it("does not matter once connected", async () => {
    const dial = await new Dialling({ a: open(99) }, { connectTimeout: 100 }).dial();
    assert.deepEqual(dial.events, ["connect@99"]);
    dial.assertTidy("a");
  });
});

describe("what a dial has to try", () => {
  it("is tried by cost, not by the order of the connectionInfo", async () => {
    const dial = new Dialling({
      "8.8.8.8": refuse(0),
      "10.0.0.1": refuse(0),
      "127.0.0.1": refuse(0),
      a: refuse(0),
    });
    await dial.dial();
    assert.deepEqual(dial.starts, ["127.0.0.1@0", "10.0.0.1@0", "8.8.8.8@0", "a@0"]);
  });

  it("is what the dial policy leaves", async () => {
    const script = { "127.0.0.1": open(0), "10.0.0.1": open(0), "8.8.8.8": open(0) };
    const dial = await new Dialling(script, { dialPolicy: { deny: ["loopback", "private"] } }).dial();
    assert.deepEqual(dial.report, ["8.8.8.8 won 0-0"]);
  });

  it("may be of a transport that asks the policy about what the peer names", async () => {
    const dialling = new Dialling({ a: open(0) }, { dialPolicy: { deny: ["private"] } });
    await dialling.dial();
    const [dialled] = dialling.transport.dials;
    const hosts = ["8.8.8.8", "10.0.0.1", "::ffff:10.0.0.1", "x.local", "example.org"];
    assert.deepEqual(
      hosts.filter((host) => dialled!.context.mayDial!(host)),
      ["8.8.8.8"],
    );
    const free = new Dialling({ a: open(0) });
    await free.dial();
    assert.equal(free.transport.dials[0]!.context.mayDial, undefined);
  });

  it("may be nothing, and the error says why", async () => {
    const forbidden = new Dialling(
      { "127.0.0.1": open(0), "::1": open(0) },
      { dialPolicy: { allow: ["public"] } },
    );
    await forbidden.dial();
    assert.deepEqual(forbidden.events, ["error ERR_1TP_NO_TRANSPORT@0", "close after error@0"]);
    assert.equal(
      forbidden.error?.message,
      "no transport accepts any of the addresses: 2 of type scripted (2 forbidden by the dial policy), for the transports scripted",
    );
    assert.deepEqual(forbidden.socket.report, []);
    forbidden.assertTidy();

    const foreign = new Dialling({});
    foreign.socket.connect([
      { transportType: "udp", transportInfo: {} },
      { transportType: "webrtc", transportInfo: {} },
      { transportType: "udp", transportInfo: {} },
    ]);
    await foreign.clock.advanceAsync(0);
    assert.equal(
      foreign.error?.message,
      "no transport accepts any of the addresses: 3 of type udp, webrtc, for the transports scripted",
    );
    foreign.assertTidy();
  });

  it("is at most 64 attempts, though two transports accept each of 200 entries", async () => {
    const dial = new Dialling(
      Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`e${i}`, refuse(0)])),
    );
    const socket = new Socket([dial.transport, dial.transport], {
      runtime: dial.runtime,
      scheduler: "parallel",
      security: "none",
    });
    socket.on("error", () => {});
    socket.connect(dial.info);
    await dial.clock.advanceAsync(0);
    assert.equal(socket.report.length, 64);
    assert.equal(dial.transport.dials.length, 64);
  });
});
