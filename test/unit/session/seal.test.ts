import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeOf } from "../../../src/base/errors.ts";
import { seededRandom } from "../../../src/base/random.ts";
import type { Json, JsonObject } from "../../../src/contract/endpoint.ts";
import { nodeCrypto as crypto } from "../../../src/platform/node-crypto.ts";
import { createIdentity } from "../../../src/session/identity.ts";
import { MAX_SEALED_BODY, Seal, type SealEvent } from "../../../src/session/seal.ts";

/** Two seals and what each of them has said and heard. */
class Parlour {
  readonly random = seededRandom(1);
  readonly client = createIdentity(crypto, this.random);
  readonly server = createIdentity(crypto, this.random);
  readonly heard: Record<"opener" | "acceptor", SealEvent[]> = { opener: [], acceptor: [] };
  readonly sent: JsonObject[] = [];
  readonly opener: Seal;
  readonly acceptor: Seal;

  constructor({ type = "webrtc", named = true, key = undefined as string | undefined } = {}) {
    const shared = { crypto, random: this.random };
    this.opener = Seal.opener("webrtc", {
      ...shared,
      identity: this.client,
      remotePublicKey: named ? (key ?? this.server.publicKey) : undefined,
      allowUnknownPeer: !named,
    });
    this.acceptor = Seal.acceptor(type, { ...shared, identity: this.server });
  }

  begin(): this {
    this.tell("acceptor", this.opener.firstSignal());
    return this;
  }

  /** Hands a signal to one side and follows what comes of it. */
  tell(to: "opener" | "acceptor", signal: Json): SealEvent[] {
    return this.#follow(to, this[to].handle(JSON.parse(JSON.stringify(signal))));
  }

  #follow(side: "opener" | "acceptor", events: SealEvent[]): SealEvent[] {
    for (const event of events) {
      this.heard[side].push(event);
      if (event.type === "peer") this.#follow(side, this[side].answer(true));
      if (event.type !== "send") continue;
      this.sent.push(event.signal);
      this.tell(side === "opener" ? "acceptor" : "opener", event.signal);
    }
    return events;
  }

  /** What the acceptor has heard of, without the signals it sent. */
  types(side: "opener" | "acceptor"): string[] {
    return this.heard[side].map(({ type }) => type).filter((type) => type !== "send");
  }
}

describe("a sealed dialog", () => {
  for (const named of [true, false]) {
    it(`carries JSON both ways (${named ? "IK" : "XX"})`, () => {
      const { opener, acceptor, ...parlour } = new Parlour({ named }).begin();
      assert.deepEqual(parlour.heard.opener.at(-1), { type: "established" });
      const values: Json[] = [{ candidate: "1.2.3.4:5" }, [1, null, "ü"], "text", 7, false, null];
      for (const value of values) {
        const [event] = acceptor.handle(opener.seal(value)).slice(-1);
        assert.deepEqual(event, { type: "body", body: value });
        assert.deepEqual(opener.handle(acceptor.seal(value)), [{ type: "body", body: value }]);
      }
      assert.equal(acceptor.remotePublicKey, parlour.client.publicKey);
      assert.equal(opener.remotePublicKey, parlour.server.publicKey);
    });
  }

  it("is established for the acceptor at once if the first body came with the handshake", () => {
    const { opener, acceptor, ...parlour } = new Parlour();
    const body = { candidates: ["1.2.3.4:5"] };
    assert.ok(opener.carriesEarly(body));
    const [peer] = acceptor.handle(opener.firstSignal(body));
    assert.deepEqual(peer, { type: "peer", publicKey: parlour.client.publicKey }, "asked before it is told");
    const [answer, ...rest] = acceptor.answer(true);
    assert.deepEqual(rest, [{ type: "established" }, { type: "body", body }]);
    const reply = acceptor.seal("reply");
    assert.deepEqual(opener.handle((answer as { signal: Json }).signal), [{ type: "established" }]);
    assert.deepEqual(opener.handle(reply), [{ type: "body", body: "reply" }]);
    assert.deepEqual(acceptor.handle(opener.seal("more")), [{ type: "body", body: "more" }]);
  });

  it("does not tell an early body to an acceptor that refuses", () => {
    const { opener, acceptor } = new Parlour();
    acceptor.handle(opener.firstSignal("early"));
    assert.deepEqual(
      acceptor.answer(false).map(({ type }) => type),
      ["send", "failed"],
    );
  });

  it("carries no body early that is long, or that others could read", () => {
    assert.equal(new Parlour().opener.carriesEarly("x".repeat(1_498)), true);
    assert.equal(new Parlour().opener.carriesEarly("x".repeat(1_499)), false);
    assert.equal(new Parlour({ named: false }).opener.carriesEarly("secret"), false);
  });

  it("is established for the acceptor by the opener's first body, not by its handshake", () => {
    const parlour = new Parlour().begin();
    assert.deepEqual(parlour.types("acceptor"), ["peer"]);
    parlour.tell("acceptor", parlour.opener.seal("offer"));
    assert.deepEqual(parlour.types("acceptor"), ["peer", "established", "body"]);
  });

  it("shows no body to who carries it", () => {
    const { opener, sent } = new Parlour().begin();
    const signal = JSON.stringify(opener.seal({ secret: "candidate" }));
    assert.ok(!signal.includes("candidate") && !JSON.stringify(sent).includes("candidate"));
  });

  it("survives lost signals, and drops those that come twice or late", () => {
    const { opener, acceptor } = new Parlour().begin();
    const signals = [0, 1, 2, 3].map((body) => opener.seal(body));
    const bodies = (i: number): unknown[] =>
      acceptor.handle(signals[i]!).flatMap((event) => (event.type === "body" ? [event.body] : []));
    assert.deepEqual([bodies(1), bodies(1), bodies(0), bodies(3), bodies(2)], [[1], [], [], [3], []]);
    assert.deepEqual(acceptor.dropped, { malformed: 0, replayed: 3, forged: 0 });
  });

  it("drops what is forged, and goes on", () => {
    const { opener, acceptor } = new Parlour().begin();
    const good = opener.seal("good");
    const foreign = new Parlour({ named: false }).begin().opener.seal("foreign");
    const text = String(good.c);
    const flipped = { ...good, c: (text[0] === "A" ? "B" : "A") + text.slice(1) };
    for (const bad of [flipped, foreign, { ...good, n: 5 }, { ...good, c: "" }]) {
      assert.deepEqual(acceptor.handle(bad), []);
    }
    assert.equal(acceptor.dropped.forged, 4);
    assert.deepEqual(acceptor.handle(good).at(-1), { type: "body", body: "good" });
  });

  it("drops what is no signal at all", () => {
    const { acceptor, opener } = new Parlour().begin();
    const wrong: Json[] = [
      null,
      1,
      "x",
      [],
      {},
      { n: 1 },
      { n: "0", c: "AA" },
      { n: 0.5, c: "AA" },
      { n: 0, c: "*" },
    ];
    for (const signal of wrong) assert.deepEqual(acceptor.handle(signal), []);
    assert.equal(acceptor.dropped.malformed, wrong.length);
    assert.equal(acceptor.handle(opener.seal(1)).length, 2);
  });

  it("drops what is no first signal, and still begins", () => {
    const parlour = new Parlour();
    const first = parlour.opener.firstSignal();
    for (const signal of [
      { hs: first.hs! },
      { id: "AA", hs: first.hs! },
      { id: first.id!, hs: 7 },
      { n: 0, c: "AA" },
    ]) {
      assert.deepEqual(parlour.acceptor.handle(signal), []);
    }
    assert.equal(parlour.acceptor.dropped.malformed, 4);
    parlour.tell("acceptor", first);
    assert.deepEqual(parlour.types("opener"), ["established"]);
  });

  it("does not open towards another transport, another dialog or another key", () => {
    const elsewhere = new Parlour({ type: "udp-punch" }).begin();
    const random = seededRandom(9);
    const stranger = new Parlour({ key: createIdentity(crypto, random).publicKey }).begin();
    const moved = new Parlour();
    moved.tell("acceptor", { ...moved.opener.firstSignal(), id: "A".repeat(22) });
    for (const parlour of [elsewhere, stranger, moved]) {
      const [failure] = parlour.heard.opener.slice(-1);
      assert.equal(failure?.type === "failed" && codeOf(failure.error), "ERR_1TP_PEER_MISMATCH");
      assert.deepEqual(parlour.types("acceptor"), ["failed"]);
      assert.deepEqual(parlour.acceptor.handle(parlour.opener.firstSignal()), []);
    }
  });

  it("refuses who is not admitted before anything is spent on it", () => {
    const parlour = new Parlour();
    const asked = parlour.acceptor.handle(parlour.opener.firstSignal());
    assert.deepEqual(asked, [{ type: "peer", publicKey: parlour.client.publicKey }]);
    const [send, failed] = parlour.acceptor.answer(false);
    assert.equal(failed?.type === "failed" && codeOf(failed.error), "ERR_1TP_PEER_REFUSED");
    const [told] = send?.type === "send" ? parlour.opener.handle(send.signal) : [];
    assert.equal(told?.type === "failed" && codeOf(told.error), "ERR_1TP_PEER_REFUSED");
  });

  it("tells an opener that named no key, too, that it is not admitted", () => {
    const parlour = new Parlour({ named: false });
    const [reply] = parlour.acceptor.handle(parlour.opener.firstSignal());
    const [last, established] = reply?.type === "send" ? parlour.opener.handle(reply.signal) : [];
    assert.equal(established?.type, "established");
    assert.equal(last?.type, "send");
    const [asked] = last?.type === "send" ? parlour.acceptor.handle(last.signal) : [];
    assert.equal(asked?.type, "peer");
    const [send, failed] = parlour.acceptor.answer(false);
    assert.equal(failed?.type === "failed" && codeOf(failed.error), "ERR_1TP_PEER_REFUSED");
    assert.ok(send?.type === "send");
    for (const forged of ["", "AAAA", 5, null, `${String(send.signal.refused).slice(0, -2)}AA`]) {
      assert.deepEqual(parlour.opener.handle({ refused: forged }), []);
    }
    const [told, ...more] = parlour.opener.handle(send.signal);
    assert.equal(told?.type === "failed" && codeOf(told.error), "ERR_1TP_PEER_REFUSED");
    assert.deepEqual(more, []);
    assert.deepEqual(parlour.opener.handle(send.signal), []);
  });

  it("does not open without a key", () => {
    const [random, identity] = [seededRandom(1), createIdentity(crypto, seededRandom(2))];
    assert.throws(
      () => Seal.opener("webrtc", { crypto, random, identity, remotePublicKey: undefined }),
      (error) => codeOf(error) === "ERR_1TP_PEER_UNKNOWN",
    );
  });

  it("seals bodies up to its limit, which fit into a signal of 16 KiB", () => {
    const { opener } = new Parlour().begin();
    const longest = "x".repeat(MAX_SEALED_BODY - 2);
    assert.ok(JSON.stringify(opener.seal(longest)).length <= 16_384);
    assert.throws(
      () => opener.seal(`${longest}x`),
      (error) => codeOf(error) === "ERR_OUT_OF_RANGE",
    );
  });
});
