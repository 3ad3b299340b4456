import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { codeOf } from "../../../src/base/errors.ts";
import { seededRandom } from "../../../src/base/random.ts";
import type { Json } from "../../../src/contract/endpoint.ts";
import { nodeCrypto as crypto } from "../../../src/platform/node-crypto.ts";
import { SessionEngine } from "../../../src/session/engine.ts";
import { decodeFrames } from "../../../src/session/frame.ts";
import { createIdentity } from "../../../src/session/identity.ts";
import { Initiator } from "../../../src/session/initiator.ts";
import { decodePayload } from "../../../src/session/payload.ts";
import { Responder } from "../../../src/session/responder.ts";
import { Seal } from "../../../src/session/seal.ts";
import { randomRuns } from "../../kit/random-runs.ts";
import { Rogue } from "../../sim/session/rogue.ts";

const random = seededRandom(1);
const [client, server] = [createIdentity(crypto, random), createIdentity(crypto, random)];
const flights = [true, false].map((named) => flightOf(named));

function flightOf(named: boolean): Uint8Array {
  const remotePublicKey = named ? server.publicKey : undefined;
  return new Initiator({
    crypto,
    random,
    identity: client,
    remotePublicKey,
    allowUnknownPeer: !named,
  }).firstFlight();
}

/** What a stranger may send instead of a first flight: something like one, cut, changed, lengthened. */
const nearlyAFlight = fc
  .record({
    flight: fc.constantFrom(...flights),
    keep: fc.nat(130),
    changes: fc.array(fc.tuple(fc.nat(130), fc.nat(255)), { maxLength: 3 }),
    more: fc.uint8Array({ maxLength: 40 }),
  })
  .map(({ flight, keep, changes, more }) => {
    const bytes = Uint8Array.from([...flight.subarray(0, keep), ...more]);
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
    return bytes;
  })
  .filter((bytes) => !flights.some((flight) => flight.every((byte, i) => bytes[i] === byte)));

const anyChunks = fc.oneof(
  fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
  fc.tuple(nearlyAFlight, fc.uint8Array({ maxLength: 300 })),
);

/** Feeds an engine and says what it did: the events, and how many bytes it sent. */
function feed(engine: SessionEngine, chunks: readonly Uint8Array[]): { events: string[]; sent: number } {
  const events: string[] = [];
  let sent = 0;
  for (const chunk of chunks) {
    engine.handleData(Uint8Array.from(chunk), 0);
    for (let event = engine.pollEvent(); event; event = engine.pollEvent()) {
      events.push(event.type);
      if (event.type === "peer") engine.answer(true, 0);
      if (event.type === "closed") assert.match(String(codeOf(event.error)), /^ERR_1TP_|^ECONNRESET$/);
    }
    for (let out = engine.pollTransmit(0); out; out = engine.pollTransmit(0)) sent += out.length;
  }
  return { events, sent };
}

describe("whatever a stranger sends", () => {
  it("a server's engine neither throws nor takes it for a peer, nor says more than it heard", () => {
    const property = fc.property(anyChunks, (chunks) => {
      const responder = new Responder({ crypto, random, identity: server });
      const { events, sent } = feed(new SessionEngine(responder, false), chunks);
      const heard = chunks.reduce((sum, { length }) => sum + length, 0);
      assert.ok(!events.includes("established"));
      assert.ok(events.filter((type) => type === "closed").length <= 1);
      assert.ok(sent <= Math.max(3, heard), `${sent} for ${heard}`);
    });
    fc.assert(property, randomRuns(1500));
  });

  it("a dialler's engine neither throws nor takes it for the server", () => {
    const property = fc.property(fc.boolean(), anyChunks, (named, chunks) => {
      const remotePublicKey = named ? server.publicKey : undefined;
      const options = { crypto, random, identity: client, remotePublicKey, allowUnknownPeer: !named };
      const { events } = feed(new SessionEngine(new Initiator(options), true), chunks);
      assert.ok(!events.includes("established"));
      assert.ok(events.filter((type) => type === "closed").length <= 1);
    });
    fc.assert(property, randomRuns(500));
  });

  it("decoders give a value or nothing", () => {
    const property = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const frame of decodeFrames(bytes) ?? []) assert.ok(frame.type);
      const payload = decodePayload(bytes);
      if (payload?.sessionId) assert.equal(payload.sessionId.length, 16);
    });
    fc.assert(property, randomRuns(5000));
  });

  it("a seal drops it, counts it, and goes on", () => {
    const jsonValue = fc.jsonValue() as fc.Arbitrary<Json>;
    const shaped = fc.record(
      { n: fc.oneof(fc.integer(), jsonValue), c: fc.oneof(fc.base64String(), jsonValue) },
      { requiredKeys: [] },
    ) as fc.Arbitrary<Json>;
    const property = fc.property(fc.array(fc.oneof(jsonValue, shaped), { maxLength: 20 }), (signals) => {
      const shared = { crypto, random };
      const opener = Seal.opener("t", { ...shared, identity: client, remotePublicKey: server.publicKey });
      const acceptor = Seal.acceptor("t", { ...shared, identity: server });
      acceptor.handle(opener.firstSignal());
      const [send] = acceptor.answer(true);
      if (send?.type === "send") opener.handle(send.signal);
      for (const signal of signals) assert.deepEqual(acceptor.handle(signal), []);
      const { malformed, replayed, forged } = acceptor.dropped;
      assert.equal(malformed + replayed + forged, signals.length);
      assert.deepEqual(acceptor.handle(opener.seal("at last")).at(-1), { type: "body", body: "at last" });
    });
    fc.assert(property, randomRuns(200));
  });
});

/** Frames near the rules: right and wrong types, lengths, offsets and order. */
const nearlyAFrame = fc
  .record({
    type: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.nat(255)),
    body: fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.tuple(fc.nat(30), fc.uint8Array({ maxLength: 20 })).map(([offset, rest]) => {
        return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, offset, ...rest);
      }),
    ),
    lie: fc.oneof(
      { weight: 9, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: -2, max: 2 }) },
    ),
  })
  .map(({ type, body, lie }) => [type, 0, Math.max(0, body.length + lie), ...body]);

describe("whatever a peer with the keys sends", () => {
  it("the engine neither throws nor delivers what is out of order, and ends with one error at most", () => {
    const records = fc.array(fc.array(nearlyAFrame, { maxLength: 5 }), { maxLength: 12 });
    const property = fc.property(records, (script) => {
      const rogue = new Rogue();
      for (const frames of script) rogue.say(frames.flat());
      if (rogue.error)
        assert.match(String(codeOf(rogue.error)), /^(ERR_1TP_BAD_FRAME|ECONNRESET|ERR_1TP_PEER_REFUSED)$/);
      assert.ok(rogue.received <= script.flat(2).length);
      assert.ok(rogue.answered <= 2 * script.length + 1);
    });
    fc.assert(property, randomRuns(1000));
  });
});
