import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeOf } from "../../../src/base/errors.ts";
import { nobleCrypto } from "../../../src/platform/noble-crypto.ts";
import { nodeCrypto } from "../../../src/platform/node-crypto.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { splitting, Wire, type WireOptions } from "./wire.ts";

const text = (word: string): Uint8Array => new TextEncoder().encode(word);

const KINDS: readonly (WireOptions & { readonly name: string })[] = [
  { name: "IK AESGCM", named: true, cipher: "AESGCM" },
  { name: "IK ChaChaPoly", named: true, cipher: "ChaChaPoly" },
  { name: "XX AESGCM", named: false, cipher: "AESGCM" },
  { name: "XX ChaChaPoly with noble", named: false, cipher: "ChaChaPoly", crypto: nobleCrypto },
];

for (const kind of KINDS) {
  describe(`a session of ${kind.name}`, () => {
    it("carries bytes both ways and ends in good order", () => {
      const { near, far } = new Wire(kind).open();
      near.do((engine) => engine.write(text("question")));
      far.do((engine) => engine.write(text("answer")));
      assert.equal(far.received.toString(), text("question").toString());
      assert.equal(near.received.toString(), text("answer").toString());
      near.do((engine) => engine.end());
      far.do((engine) => engine.end());
      assert.deepEqual(near.events, ["established", "flushed", "finished", "end", "closed"]);
      assert.deepEqual(far.events, ["peer", "established", "end", "flushed", "finished", "closed"]);
      assert.deepEqual([near.error, far.error], [undefined, undefined]);
    });

    it("tells both sides who the other one is", () => {
      const wire = new Wire(kind).open();
      assert.equal(wire.far.engine.remotePublicKey, wire.client.publicKey);
      assert.equal(wire.near.engine.remotePublicKey, wire.server.publicKey);
      assert.deepEqual(wire.near.engine.sessionId, wire.far.engine.sessionId);
      assert.equal(wire.near.engine.sessionId?.length, 16);
    });

    it("stays out of the server's sight until it is confirmed", () => {
      const wire = new Wire(kind);
      wire.near.wake();
      wire.flow();
      assert.deepEqual([wire.near.established, wire.far.established], [true, false]);
      const sent = wire.recorded.length;
      wire.near.do((engine) => engine.write(text("early")));
      assert.deepEqual([wire.far.established, wire.recorded.length], [false, sent]);
      wire.confirm();
      assert.equal(wire.far.established, true);
      assert.equal(wire.far.received.toString(), text("early").toString());
    });

    it("leaves no trace when it loses its race", () => {
      const wire = new Wire(kind);
      wire.near.wake();
      wire.flow();
      const sent = wire.recorded.length;
      assert.equal(wire.near.engine.leave(wire.clock.now()), false);
      wire.close(wire.far);
      wire.flow();
      assert.equal(wire.recorded.length, sent);
      assert.deepEqual(wire.far.events, ["peer", "closed"]);
      assert.equal(codeOf(wire.far.error) !== undefined, true);
    });

    it("survives being cut into pieces anywhere", () =>
      forEachSeed(kind.crypto === nobleCrypto ? 3 : 20, (seed) => {
        const wire = new Wire({ ...kind, seed });
        wire.intercept = splitting(wire.random);
        wire.open();
        const sizes = Array.from({ length: 20 }, () =>
          wire.random.integer(wire.random.chance(0.1) ? 90_000 : 300),
        );
        const sent = sizes.map((size) => wire.random.fill(new Uint8Array(size)));
        for (const [i, chunk] of sent.entries()) {
          const [from] = i % 2 === 0 ? [wire.near] : [wire.far];
          from.do((engine) => engine.write(chunk.slice()));
        }
        const joined = (parity: number): Buffer => Buffer.concat(sent.filter((_, i) => i % 2 === parity));
        assert.ok(joined(0).equals(wire.far.received));
        assert.ok(joined(1).equals(wire.near.received));
      }));
  });
}

describe("back-pressure", () => {
  it("holds the writer back by the window while nobody reads, and loses nothing", () => {
    const { near, far } = new Wire().open();
    far.engine.pause();
    const chunk = new Uint8Array(1 << 16);
    let written = 0;
    let room = true;
    while (room) {
      near.do((engine) => {
        engine.write(chunk.slice().fill(written >> 16));
        room = engine.mayWrite();
      });
      written += chunk.length;
      assert.ok(written < 4 << 20, "the writer is told to wait");
    }
    assert.equal(far.received.length, 0);
    assert.ok(near.events.filter((event) => event === "drain").length < 40);
    far.do((engine) => engine.resume());
    assert.equal(far.received.length, written);
    assert.equal(near.events.at(-1), "drain");
    for (let at = 0; at < written; at += chunk.length) assert.equal(far.received[at], (at >> 16) & 0xff);
  });

  it("sends nothing into a pipe that is full, and goes on when it is not", () => {
    const wire = new Wire().open();
    wire.near.blocked = true;
    wire.near.do((engine) => engine.write(new Uint8Array(100_000)));
    const sent = wire.recorded.length;
    wire.near.do((engine) => engine.write(new Uint8Array(100_000)));
    assert.equal(wire.recorded.length, sent);
    wire.near.blocked = false;
    wire.near.do((engine) => {
      engine.blocked = false;
    });
    assert.equal(wire.far.received.length, 200_000);
  });

  it("shares records between writes that wait", () => {
    const wire = new Wire().open();
    const before = wire.recorded.length;
    wire.near.do((engine) => {
      for (let i = 0; i < 1000; i++) engine.write(text("0123456789"));
    });
    assert.equal(wire.far.received.length, 10_000);
    assert.equal(wire.recorded.length, before + 1);
  });

  it("opens the window further for a reader that keeps up over a long way", () => {
    const wire = new Wire({ latency: 25 }).open();
    const { near, far, clock } = wire;
    const size = 64 << 20;
    let left = size;
    near.onDrain = () => {
      for (let room = true; room && left > 0; left -= 1 << 16) {
        near.engine.write(new Uint8Array(1 << 16));
        room = near.engine.mayWrite();
      }
    };
    const began = clock.now();
    near.do(() => near.onDrain?.());
    while (far.received.length < size) wire.pass(50);
    // One window of 1 MiB for each round trip of 50 ms would take 3.2 s.
    assert.ok(clock.now() - began < 1_600, `${clock.now() - began} ms`);
    assert.ok(near.events.filter((event) => event === "drain").length > 100);
  });
});

describe("closing", () => {
  it("lets one side go on after the other one has ended", () => {
    const { near, far } = new Wire().open();
    near.do((engine) => engine.end());
    assert.deepEqual(far.events, ["peer", "established", "end"]);
    far.do((engine) => engine.write(new Uint8Array(3 << 20)));
    assert.equal(near.received.length, 3 << 20);
    far.do((engine) => engine.end());
    assert.deepEqual([near.closed, far.closed, near.error, far.error], [true, true, undefined, undefined]);
  });

  it("takes no write after the end", () => {
    const { near, far } = new Wire().open();
    near.do((engine) => engine.end());
    near.do((engine) => engine.write(text("late")));
    assert.equal(near.engine.mayWrite(), false);
    assert.equal(far.received.length, 0);
  });

  it("shows the peer of an abort in good order an end", () => {
    const { near, far, clock } = new Wire().open();
    near.do((engine) => engine.write(text("goodbye")));
    near.do((engine) => assert.equal(engine.leave(clock.now()), true));
    assert.deepEqual(far.events, ["peer", "established", "end"]);
    assert.equal(far.received.length, 7);
    far.do((engine) => engine.end());
    assert.deepEqual([far.closed, far.error], [true, undefined]);
  });

  it("is done with an abort as soon as the peer has said that it knows", () => {
    const wire = new Wire({ latency: 30 }).open();
    wire.near.do((engine) => engine.leave(wire.clock.now()));
    wire.pass(64);
    assert.equal(wire.near.closed, false);
    wire.pass(2);
    assert.deepEqual([wire.near.closed, wire.near.error], [true, undefined]);
  });

  it("says that it has seen the end together with its own", () => {
    const wire = new Wire({ latency: 30 }).open();
    wire.pass(100);
    const count = (): number => wire.recorded.filter(({ to }) => to === wire.near).length;
    const sent = count();
    wire.near.do((engine) => engine.end());
    wire.pass(31);
    wire.far.do((engine) => engine.end());
    wire.pass(100);
    assert.equal(count(), sent + 1);
    assert.deepEqual([wire.near.closed, wire.near.error], [true, undefined]);
  });

  it("resets a peer whose data was on its way to who has aborted", () => {
    const wire = new Wire({ latency: 30 }).open();
    wire.pass(100);
    wire.far.do((engine) => engine.write(text("on its way")));
    wire.near.do((engine) => engine.leave(wire.clock.now()));
    wire.pass(100);
    assert.equal(codeOf(wire.far.error), "ECONNRESET");
    assert.equal(wire.near.received.length, 0);
  });

  it("shows the peer of an abort with unread data a reset", () => {
    const { near, far, clock } = new Wire().open();
    near.engine.pause();
    far.do((engine) => engine.write(new Uint8Array(3 << 20)));
    near.do((engine) => assert.equal(engine.leave(clock.now()), true));
    assert.equal(codeOf(far.error), "ECONNRESET");
    assert.equal(near.closed, true);
  });

  it("resets a peer that goes on sending to who has aborted", () => {
    const { near, far, clock } = new Wire().open();
    near.do((engine) => engine.leave(clock.now()));
    far.do((engine) => engine.write(text("are you there?")));
    assert.equal(codeOf(far.error), "ECONNRESET");
  });

  it("does not wait for ever for a peer that does not answer", () => {
    const wire = new Wire().open();
    wire.intercept = (bytes, to) => (to === wire.far ? [] : [bytes]);
    wire.near.do((engine) => engine.leave(wire.clock.now()));
    assert.equal(wire.near.closed, false);
    wire.pass(5001);
    assert.equal(wire.near.closed, true);
    assert.equal(wire.clock.armed, 0);
  });

  it("tells the peer of an abort with an error", () => {
    const { near, far } = new Wire().open();
    const error = new Error("enough");
    near.do((engine) => engine.reset(error));
    assert.equal(near.error, error);
    assert.equal(codeOf(far.error), "ECONNRESET");
  });

  it("takes a pipe that ends without END for a loss", () => {
    const wire = new Wire().open();
    wire.near.do((engine) => engine.write(text("half a mess")));
    wire.end(wire.far);
    wire.flow();
    assert.equal(wire.far.received.length, 11);
    assert.equal(codeOf(wire.far.error), "ECONNRESET");
  });

  it("delivers what came before a loss unless paused, and tells a loss although paused", () => {
    const wire = new Wire().open();
    wire.far.engine.pause();
    wire.near.do((engine) => engine.write(text("unread")));
    wire.close(wire.far, new Error("cut"));
    wire.flow();
    assert.equal(wire.far.received.length, 0);
    assert.equal(codeOf(wire.far.error), "ECONNRESET");
  });

  it("waits with the close in good order until the end is read", () => {
    const { near, far } = new Wire().open();
    far.engine.pause();
    near.do((engine) => {
      engine.write(text("unread"));
      engine.end();
    });
    far.do((engine) => engine.end());
    assert.deepEqual([near.closed, far.closed], [true, false]);
    far.do((engine) => engine.resume());
    assert.deepEqual([far.received.length, far.closed, far.error], [6, true, undefined]);
  });
});

describe("messages", () => {
  it("pass beside the bytes, also when the window is shut", () => {
    const { near, far } = new Wire().open();
    far.engine.pause();
    near.do((engine) => engine.write(new Uint8Array(2 << 20)));
    near.do((engine) => assert.ok(engine.sendMessage({ channel: 7, body: text("psst") })));
    assert.deepEqual(
      far.messages.map(({ channel, body }) => [channel, Buffer.from(body).toString()]),
      [[7, "psst"]],
    );
    far.do((engine) => engine.sendMessage({ channel: 255, body: new Uint8Array(16_384) }));
    assert.equal(near.messages[0]?.body.length, 16_384);
  });

  it("are refused when too many wait", () => {
    const { near } = new Wire().open();
    near.blocked = true;
    near.do((engine) => engine.write(text("last")));
    let taken = 0;
    while (near.engine.sendMessage({ channel: 1, body: text("x") })) taken++;
    assert.equal(taken, 16);
  });
});

describe("silence", () => {
  const patience = { pingAfter: 20_000, silenceLimit: 60_000 };

  it("is broken by a ping", () => {
    const wire = new Wire({ patience }).open();
    const sent = wire.recorded.length;
    wire.pass(19_999);
    assert.equal(wire.recorded.length, sent);
    wire.pass(2);
    assert.ok(wire.recorded.length > sent);
    wire.pass(3_600_000);
    assert.deepEqual([wire.near.closed, wire.far.closed], [false, false]);
  });

  it("that was broken is forgotten", () => {
    const wire = new Wire({ patience }).open();
    wire.pass(20_001);
    for (let i = 0; i < 10; i++) {
      wire.near.do((engine) => engine.write(text("a")));
      wire.far.do((engine) => engine.write(text("b")));
      wire.pass(10_000);
    }
    assert.deepEqual([wire.near.closed, wire.far.closed], [false, false]);
  });

  it("is not needed to measure the round trip", () => {
    const wire = new Wire({ latency: 40 }).open();
    assert.equal(wire.near.engine.counters.rtt, undefined);
    wire.near.do((engine) => engine.ping());
    wire.pass(100);
    assert.equal(wire.near.engine.counters.rtt, 80);
  });

  it("beyond the limit ends with ETIMEDOUT on both sides", () => {
    const wire = new Wire({ patience }).open();
    wire.intercept = () => [];
    wire.pass(59_999);
    assert.deepEqual([wire.near.closed, wire.far.closed], [false, false]);
    wire.pass(2);
    assert.deepEqual([codeOf(wire.near.error), codeOf(wire.far.error)], ["ETIMEDOUT", "ETIMEDOUT"]);
    assert.equal(wire.clock.armed, 0);
  });

  it("during a sleep of the whole process gives the peer another chance", () => {
    const wire = new Wire({ patience }).open();
    const { near } = wire;
    const woken = wire.clock.now() + 3_600_000;
    near.engine.handleTimeout(woken);
    near.engine.handleTimeout(woken + 45_000);
    near.do(() => {});
    assert.deepEqual([near.closed, near.error], [false, undefined]);
  });
});

describe("crypto providers", () => {
  it("are understood by each other", () => {
    const server = new Wire({ crypto: nobleCrypto, seed: 5 }).server;
    const wire = new Wire({ crypto: nodeCrypto, server, seed: 6 }).open();
    assert.equal(wire.far.established, true);
  });
});
