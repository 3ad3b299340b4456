import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toBase64Url } from "../../../src/base/bytes.ts";
import { codeOf } from "../../../src/base/errors.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { nodeCrypto } from "../../../src/platform/node-crypto.ts";
import { createIdentity } from "../../../src/session/identity.ts";
import { Initiator } from "../../../src/session/initiator.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { flipBit, Wire } from "./wire.ts";

const crypto = nodeCrypto;

describe("a man in the middle of a handshake", () => {
  for (const named of [true, false]) {
    const pattern = named ? "IK" : "XX";

    it(`who flips any bit of ${pattern} keeps both sides apart`, () =>
      forEachSeed(150, (seed) => {
        const wire = new Wire({ seed, named });
        let untouched = wire.random.integer(named ? 2 : 3);
        wire.intercept = (bytes) => (untouched-- === 0 ? [flipBit(bytes, wire.random)] : [bytes]);
        wire.near.wake();
        wire.flow();
        wire.confirm();
        wire.pass(10);
        assert.ok(!wire.far.established, "the server never sees it");
        assert.equal(wire.far.received.length, 0);
        // What waits for more than will come is ended by its owner's deadline.
        for (const { closed, error } of [wire.near, wire.far]) if (closed) assert.ok(codeOf(error));
      }));

    it(`who changes the hello byte of ${pattern} gets no downgrade`, () => {
      for (let byte = 0; byte < 256; byte++) {
        const wire = new Wire({ named });
        wire.near.wake();
        const [flight] = wire.recorded;
        if (flight!.bytes[0] === byte) continue;
        const changed = flight!.bytes.slice();
        changed[0] = byte;
        const server = new Wire({ named });
        server.far.do((engine, now) => engine.handleData(changed, now));
        for (const { bytes } of server.recorded) {
          wire.near.do((engine, now) => engine.handleData(bytes, now));
        }
        assert.ok(!wire.near.established, `hello ${byte}`);
        assert.ok(!server.far.established, `hello ${byte}`);
      }
    });
  }

  it("who has another key is not taken for the server", () => {
    const impostor = createIdentity(crypto, seededRandom(7));
    const expected = createIdentity(crypto, seededRandom(8)).publicKey;
    const wire = new Wire({ server: impostor, expected });
    wire.near.wake();
    wire.flow();
    assert.equal(codeOf(wire.near.error), "ERR_1TP_PEER_MISMATCH");
    assert.deepEqual(wire.far.events, ["finished", "closed"]);
    assert.equal(codeOf(wire.far.error), "ERR_1TP_HANDSHAKE_FAILED");
  });

  it("who answers with rubbish is not taken for the server", () => {
    for (const length of [48, 50, 96, 2000]) {
      const wire = new Wire();
      wire.intercept = () => [];
      const message = wire.random.fill(new Uint8Array(2 + length));
      message.set([length >> 8, length & 0xff]);
      wire.near.do((engine, now) => engine.handleData(message, now));
      assert.equal(codeOf(wire.near.error), "ERR_1TP_PEER_MISMATCH");
    }
  });

  it("who does not speak 1tp at all is told from one who does", () => {
    for (const greeting of [
      "SSH-2.0-OpenSSH\r\n",
      "HTTP/1.1 400 Bad Request\r\n",
      "\x16\x03\x03\x00\x02\x02\x28",
    ]) {
      const wire = new Wire();
      wire.intercept = () => [];
      wire.near.do((engine, now) => engine.handleData(new TextEncoder().encode(greeting), now));
      assert.equal(codeOf(wire.near.error), "ERR_1TP_HANDSHAKE_FAILED");
    }
  });

  it("who echoes everything is not taken for the server", () => {
    const wire = new Wire();
    wire.intercept = () => [];
    wire.near.wake();
    wire.near.do((engine, now) => engine.handleData(wire.recorded[0]!.bytes, now));
    assert.equal(codeOf(wire.near.error), "ERR_1TP_HANDSHAKE_FAILED");
  });
});

describe("a dialler", () => {
  const options = { crypto, random: seededRandom(3), identity: createIdentity(crypto, seededRandom(4)) };
  const dial = (remotePublicKey: string | undefined): Initiator =>
    new Initiator({ ...options, remotePublicKey });

  it("does not talk to a peer whose key was left out", () => {
    assert.throws(
      () => dial(undefined),
      (error) => codeOf(error) === "ERR_1TP_PEER_UNKNOWN" && /allowUnknownPeer/.test(String(error)),
    );
  });

  it("does not take for a key what is none", () => {
    const lowOrder = toBase64Url(new Uint8Array(32));
    for (const key of ["", "AAAA", "?".repeat(43), `${options.identity.publicKey}=`, lowOrder]) {
      assert.throws(
        () => dial(key),
        (error) => codeOf(error) === "ERR_1TP_BAD_ADDRESS",
        key,
      );
    }
  });

  it("with a key never speaks XX, whatever else it is allowed", () => {
    const { publicKey } = options.identity;
    const initiator = new Initiator({ ...options, remotePublicKey: publicKey, allowUnknownPeer: true });
    assert.equal(initiator.firstFlight()[0], 0x10);
  });

  it("says the same first thing however often it is asked, padded as asked first", () => {
    const initiator = dial(options.identity.publicKey);
    const flight = initiator.firstFlight(1150);
    assert.equal(flight.length, 1150);
    assert.deepEqual(initiator.firstFlight(), flight);
    assert.notDeepEqual(dial(options.identity.publicKey).firstFlight(1150), flight);
  });

  it("does not say it again when the transport has carried it", () => {
    const wire = new Wire({ flightSent: true });
    wire.near.wake();
    assert.equal(wire.recorded.length, 0);
    wire.far.do((engine, now) => engine.handleData(wire.initiator.firstFlight(1150), now));
    assert.equal(wire.near.established, true);
    assert.equal(wire.confirm().far.established, true);
  });

  it("that is not admitted hears so, and the server never sees it", () => {
    const wire = new Wire();
    wire.far.admit = false;
    wire.near.wake();
    wire.flow();
    assert.deepEqual(wire.near.events, ["closed"]);
    assert.equal(codeOf(wire.near.error), "ERR_1TP_PEER_REFUSED");
    assert.deepEqual(wire.far.events, ["peer", "finished", "closed"]);
  });

  it("that names itself last (XX) is refused just so", () => {
    const wire = new Wire({ named: false });
    wire.far.admit = false;
    wire.near.wake();
    wire.flow();
    assert.equal(codeOf(wire.near.error), "ERR_1TP_PEER_REFUSED");
    assert.deepEqual(wire.far.events, ["peer", "finished", "closed"]);
  });

  it("waits for a server that takes its time to admit it", () => {
    for (const named of [true, false]) {
      const wire = new Wire({ named });
      wire.far.admit = undefined;
      wire.near.wake();
      wire.flow();
      if (!named) wire.confirm().near.do((engine) => engine.write(new Uint8Array(500_000)));
      assert.equal(wire.far.established, false);
      wire.far.do((engine, now) => engine.answer(true, now));
      if (named) wire.confirm();
      assert.equal(wire.far.established, true);
      assert.equal(wire.far.received.length, named ? 0 : 500_000);
    }
  });
});
