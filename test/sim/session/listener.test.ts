import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { drive } from "../../../src/base/drive.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { nodeCrypto } from "../../../src/platform/node-crypto.ts";
import { SessionEngine } from "../../../src/session/engine.ts";
import { HalfOpen } from "../../../src/session/half-open.ts";
import { createIdentity } from "../../../src/session/identity.ts";
import { Responder } from "../../../src/session/responder.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";
import { Wire } from "./wire.ts";

const crypto = nodeCrypto;

describe("a listener", () => {
  const server = createIdentity(crypto, seededRandom(11));

  /** A responder that some bytes have reached. */
  function responder(bytes: Uint8Array): { engine: SessionEngine; sent: number; events: string[] } {
    const engine = new SessionEngine(
      new Responder({ crypto, random: seededRandom(12), identity: server }),
      false,
    );
    engine.handleData(bytes, 1000);
    const events: string[] = [];
    for (let event = engine.pollEvent(); event; event = engine.pollEvent()) {
      events.push(event.type);
      if (event.type === "peer") engine.answer(true, 1000);
    }
    let sent = 0;
    for (let out = engine.pollTransmit(1000); out; out = engine.pollTransmit(1000)) sent += out.length;
    return { engine, sent, events };
  }

  it("shows nobody a first flight that is replayed, nor what followed it", () => {
    const wire = new Wire({ server }).open();
    wire.near.do((engine) => engine.write(new Uint8Array(100)));
    const sent = wire.recorded.filter(({ to }) => to === wire.far).map(({ bytes }) => bytes);
    const { engine, events } = responder(sent[0]!);
    assert.deepEqual(events, ["peer"]);
    for (const record of sent.slice(1)) engine.handleData(record, 1000);
    assert.deepEqual([engine.pollEvent()?.type, engine.pollEvent()], ["closed", undefined]);
  });

  it("answers a first message with fewer bytes than came", () => {
    for (const named of [true, false]) {
      const wire = new Wire({ server, named });
      const flight = wire.initiator.firstFlight();
      const { sent } = responder(flight);
      assert.ok(sent > 0 && sent <= flight.length, `${sent} bytes to ${flight.length}`);
    }
  });

  it("has at most so many handshakes under way, gives the oldest up, and goes on serving", () => {
    const clock = new VirtualClock();
    const halfOpen = new HalfOpen<object>({ count: 256, deadline: 15_000 });
    let given = 0;
    const table = drive(
      halfOpen,
      clock,
      () => {},
      () => given++,
    );
    const flight = new Wire({ server }).initiator.firstFlight();
    let most = 0;
    for (let i = 0; i < 10_000; i++) {
      // Nine in ten say half a message and fall silent, one replays a whole one.
      const { engine } = responder(i % 10 === 0 ? flight : flight.subarray(0, i % flight.length));
      halfOpen.add(engine, clock.now());
      table.wake();
      clock.advance(1);
      most = Math.max(most, halfOpen.size);
      if (i % 1000 === 999) {
        const honest = new Wire({ server, seed: i });
        halfOpen.add(honest, clock.now());
        table.wake();
        honest.open();
        assert.ok(honest.far.established);
        halfOpen.delete(honest);
      }
    }
    assert.equal(most, 256);
    assert.equal(given + halfOpen.size, 10_000);
    clock.advance(15_000);
    assert.deepEqual([halfOpen.size, given, clock.armed], [0, 10_000, 0]);
  });

  it("gives a stalled handshake up at its deadline, not one that was done", () => {
    const clock = new VirtualClock();
    const halfOpen = new HalfOpen<{ name: string }>({ count: 10, deadline: 5000 });
    const given: string[] = [];
    const table = drive(
      halfOpen,
      clock,
      () => {},
      ({ name }) => given.push(name),
    );
    const entries = ["a", "b", "c"].map((name) => ({ name }));
    for (const entry of entries) {
      halfOpen.add(entry, clock.now());
      table.wake();
      clock.advance(1000);
    }
    halfOpen.delete(entries[1]!);
    table.wake();
    clock.advance(2000);
    assert.deepEqual(given, ["a"]);
    clock.advance(2000);
    assert.deepEqual(given, ["a", "c"]);
  });

  it("holds little of what comes before the handshake is over", () => {
    const engine = new SessionEngine(
      new Responder({ crypto, random: seededRandom(1), identity: server }),
      false,
    );
    let taken = 0;
    while (!engine.pollTransmit(0) && taken < 5000) {
      engine.handleData(Uint8Array.of(0x10), 0);
      taken++;
    }
    assert.ok(taken < 3000, `${taken} bytes`);
    for (let event = engine.pollEvent(); event; event = engine.pollEvent())
      assert.equal(event.type, "finished");
    assert.equal(engine.pollTimeout(), 5000);
    engine.handleTimeout(5000);
    assert.equal(engine.pollEvent()?.type, "closed");
  });
});
