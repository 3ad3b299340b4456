import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seededRandom } from "../../../src/base/random.ts";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { looksLikeStun } from "../../../src/stun/message.ts";
import { looksLikePacket } from "../../../src/utp/packet.ts";
import { ANSWER, makePunch, PROBE, punchKind, punchToken } from "../../../src/utp-net/punch-packet.ts";
import { Puncher } from "../../../src/utp-net/puncher.ts";

const PEER: SocketAddress = { address: "5.0.0.1", port: 1000 };
const OTHER: SocketAddress = { address: "5.0.0.2", port: 1000 };

/** A puncher with what it has sent and told. */
class Bench {
  readonly puncher = new Puncher(seededRandom(1));
  readonly outcomes: boolean[] = [];
  now = 0;

  start(attempts: number, remote = PEER): void {
    this.puncher.start(remote, attempts, (success) => this.outcomes.push(success), this.now);
  }

  /** What leaves now. */
  sent(): { readonly kind: number | undefined; readonly data: Uint8Array; readonly remote: SocketAddress }[] {
    const sent = [];
    for (let out = this.puncher.pollTransmit(); out; out = this.puncher.pollTransmit()) {
      sent.push({ ...out, kind: punchKind(out.data) });
    }
    for (let event = this.puncher.pollEvent(); event; event = this.puncher.pollEvent())
      event.onDone(event.success);
    return sent;
  }

  receive(data: Uint8Array, remote = PEER): void {
    this.puncher.handleDatagram({ data, remote }, this.now);
  }

  /** Lets time pass up to the next deadline. */
  step(): void {
    const at = this.puncher.pollTimeout();
    assert.ok(at !== undefined && at > this.now);
    this.puncher.handleTimeout(at - 0.001);
    assert.deepEqual(this.sent(), [], "early changes nothing");
    this.now = at;
    this.puncher.handleTimeout(at);
  }
}

function answerTo(probe: Uint8Array): Uint8Array {
  return makePunch(ANSWER, punchToken(probe));
}

describe("a puncher", () => {
  for (const attempts of [0, 1, 2, 10]) {
    test(`sends ${attempts} probes of one token, twice a second, when nobody answers`, () => {
      const bench = new Bench();
      bench.start(attempts);
      const probes = bench.sent();
      for (let i = 0; i < attempts; i++) {
        assert.deepEqual([probes.length, bench.outcomes], [i + 1, []]);
        bench.step();
        probes.push(...bench.sent());
      }
      assert.equal(bench.now, attempts * 500);
      assert.equal(probes.length, attempts);
      assert.ok(probes.every(({ kind, remote }) => kind === PROBE && remote === PEER));
      assert.equal(new Set(probes.map(({ data }) => `${punchToken(data)}`)).size, Math.min(attempts, 1));
      assert.deepEqual(bench.outcomes, [false]);
      assert.equal(bench.puncher.pollTimeout(), undefined);
    });
  }

  test("has succeeded with the first answer, and sends no more", () => {
    const bench = new Bench();
    bench.start(10);
    const [probe] = bench.sent();
    bench.receive(answerTo(probe!.data));
    assert.deepEqual(bench.sent(), []);
    assert.deepEqual(bench.outcomes, [true]);
    assert.equal(bench.puncher.pollTimeout(), undefined);
    bench.receive(answerTo(probe!.data));
    assert.deepEqual(bench.sent(), []);
    assert.equal(bench.puncher.drops.get("unasked"), 1);
  });

  test("takes an answer after its last probe", () => {
    const bench = new Bench();
    bench.start(1);
    const [probe] = bench.sent();
    bench.now = 499;
    bench.receive(answerTo(probe!.data));
    bench.sent();
    assert.deepEqual(bench.outcomes, [true]);
  });

  test("takes no answer from elsewhere, none with another token, none to nobody's punch", () => {
    const bench = new Bench();
    bench.receive(makePunch(ANSWER, new Uint8Array(8)));
    bench.start(1);
    const [probe] = bench.sent();
    bench.receive(answerTo(probe!.data), OTHER);
    bench.receive(answerTo(probe!.data), { ...PEER, port: 1001 });
    bench.receive(makePunch(ANSWER, new Uint8Array(8)));
    bench.sent();
    assert.deepEqual(bench.outcomes, []);
    assert.equal(bench.puncher.drops.get("unasked"), 4);
  });

  test("answers a probe with as many bytes to where it came from, and never an answer", () => {
    const bench = new Bench();
    const probe = makePunch(PROBE, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    bench.receive(probe, OTHER);
    const [answer, ...more] = bench.sent();
    assert.deepEqual(more, []);
    assert.deepEqual([answer!.kind, answer!.remote], [ANSWER, OTHER]);
    assert.deepEqual(punchToken(answer!.data), punchToken(probe));
    assert.equal(answer!.data.length, probe.length);
    bench.receive(answer!.data, OTHER);
    assert.deepEqual(bench.sent(), []);
  });

  test("answers at most a hundred probes a second", () => {
    const bench = new Bench();
    const probe = makePunch(PROBE, new Uint8Array(8));
    for (let i = 0; i < 1000; i++) bench.receive(probe, { address: "5.0.0.3", port: i + 1 });
    assert.equal(bench.sent().length, 100);
    assert.equal(bench.puncher.drops.get("too-many"), 900);
    bench.now = 500;
    for (let i = 0; i < 1000; i++) bench.receive(probe);
    assert.equal(bench.sent().length, 50);
  });

  test("sends its next probe at once when one comes in from where it punches, up to its attempts", () => {
    const bench = new Bench();
    bench.start(3);
    bench.sent();
    const probe = makePunch(PROBE, new Uint8Array(8));
    for (const [expected, remote] of [
      [[ANSWER], OTHER],
      [[PROBE, ANSWER], PEER],
      [[PROBE, ANSWER], PEER],
      [[ANSWER], PEER],
    ] as const) {
      bench.receive(probe, remote);
      assert.deepEqual(
        bench.sent().map(({ kind }) => kind),
        expected,
      );
    }
    bench.step();
    bench.sent();
    assert.deepEqual(bench.outcomes, [false]);
  });

  test("keeps punches to several addresses, and two to the same, apart", () => {
    const bench = new Bench();
    bench.start(5);
    bench.start(5);
    bench.start(5, OTHER);
    const probes = bench.sent();
    assert.equal(new Set(probes.map(({ data }) => `${punchToken(data)}`)).size, 3);
    bench.receive(answerTo(probes[2]!.data), OTHER);
    bench.receive(answerTo(probes[0]!.data));
    bench.step();
    assert.equal(bench.sent().length, 1);
    assert.deepEqual(bench.outcomes, [true, true]);
  });

  test("ends all that goes on without success when it is stopped", () => {
    const bench = new Bench();
    bench.start(5);
    bench.start(5, OTHER);
    bench.puncher.stop();
    bench.sent();
    assert.deepEqual(bench.outcomes, [false, false]);
    assert.equal(bench.puncher.pollTimeout(), undefined);
  });

  test("drops whatever is no punch", () => {
    const bench = new Bench();
    const punch = makePunch(PROBE, new Uint8Array(8));
    const wrong = Array.from({ length: 8 }, (_, at) =>
      punch.map((byte, i) => (i === at ? byte ^ 0x40 : byte)),
    );
    const others = [new Uint8Array(0), punch.subarray(1), Uint8Array.of(...punch, 0), new Uint8Array(16)];
    for (const data of [...wrong, ...others]) bench.receive(data);
    assert.deepEqual(bench.sent(), []);
    assert.equal(bench.puncher.drops.get("foreign"), wrong.length + others.length);
  });
});

test("whatever comes, a puncher sends no more than came, to whom it came from", () => {
  const bench = new Bench();
  const random = seededRandom(3);
  for (let i = 0; i < 20_000; i++) {
    bench.now = i;
    const data = makePunch(random.chance(0.5) ? PROBE : ANSWER, random.fill(new Uint8Array(8)));
    if (random.chance(0.5)) data[random.integer(data.length)] = random.integer(256);
    const remote = { address: `5.0.0.${random.integer(4)}`, port: 1 + random.integer(3) };
    bench.receive(data.subarray(0, random.chance(0.1) ? random.integer(17) : 16), remote);
    const [sent, ...more] = bench.sent();
    assert.deepEqual(more, []);
    if (!sent) continue;
    assert.deepEqual(sent.remote, remote);
    assert.equal(sent.data.length, data.length);
  }
  assert.equal(bench.puncher.pollTimeout(), undefined);
});

test("a punch is neither uTP nor STUN, whatever its token", () => {
  const random = seededRandom(7);
  for (let i = 0; i < 1000; i++) {
    for (const kind of [PROBE, ANSWER] as const) {
      const punch = makePunch(kind, random.fill(new Uint8Array(8)));
      assert.equal(looksLikePacket(punch), false);
      assert.equal(looksLikeStun(punch), false);
      // RFC 7983 and RFC 9443: STUN, ZRTP, DTLS, TURN, QUIC and RTP begin below 192.
      assert.ok(punch[0]! >= 192);
    }
  }
});
