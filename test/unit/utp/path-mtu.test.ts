import assert from "node:assert/strict";
import test from "node:test";
import { seededRandom } from "../../../src/base/random.ts";
import { UtpEndpoint } from "../../../src/utp/endpoint.ts";
import { PathMtu } from "../../../src/utp/path-mtu.ts";
import { Pair } from "../../kit/pair.ts";

test("the largest size is tried first, twice, then smaller ones", () => {
  const mtu = new PathMtu(1200, 1452, 4);
  assert.equal(mtu.takeProbe(0, 100), 0);
  mtu.begin();
  const probes: number[] = [];
  for (let now = 0; now < 1000; now += 100) {
    mtu.expire(now);
    const size = mtu.takeProbe(now, 100);
    if (size > 0) probes.push(size);
  }
  assert.deepEqual(probes.slice(0, 6), [1472, 1472, 1464, 1464, 1412, 1412]);
  assert.equal(mtu.payload, 1200);
});

test("an answer to the probe that is under way raises the size, any other does not", () => {
  const mtu = new PathMtu(1200, 1452, 4);
  mtu.begin();
  mtu.takeProbe(0, 100);
  assert.equal(mtu.answered(1464, 1), false);
  assert.equal(mtu.answered(9000, 1), false);
  assert.equal(mtu.answered(1472, 1), true);
  assert.equal(mtu.payload, 1452);
  assert.equal(mtu.answered(1472, 1), false);
});

test("IPv6 has twenty bytes less, and the user's limit is kept", () => {
  const six = new PathMtu(1200, 1432, 6);
  six.begin();
  assert.equal(six.takeProbe(0, 100), 1452);
  const limited = new PathMtu(1200, 1300, 4);
  limited.begin();
  assert.equal(limited.takeProbe(0, 100), 1320);
  const small = new PathMtu(1000, 1000, 4);
  small.begin();
  assert.equal(small.takeProbe(0, 100), 0);
});

test("after a fall the path is left alone, then searched again", () => {
  const mtu = new PathMtu(1200, 1452, 4);
  mtu.begin();
  mtu.takeProbe(0, 100);
  mtu.answered(1472, 1);
  assert.equal(mtu.fall(10), true);
  assert.equal(mtu.fall(10), false);
  assert.equal(mtu.payload, 1200);
  mtu.begin();
  assert.equal(mtu.takeProbe(20, 100), 0);
  mtu.expire(5010);
  mtu.begin();
  assert.equal(mtu.takeProbe(5010, 100), 1472);
});

/** Moves `size` bytes over a pair whose link can change on the way; returns what the sender ended with. */
function transfer(size: number, mtu: number, onHalf: (pair: Pair<UtpEndpoint, UtpEndpoint>) => void) {
  const [a, b] = [1, 2].map((seed) => new UtpEndpoint({ random: seededRandom(seed) })) as [
    UtpEndpoint,
    UtpEndpoint,
  ];
  b.listen();
  const pair = new Pair({ a, b, link: { latency: 10, rate: 50e6, queueMillis: 100, mtu } });
  const data = seededRandom(3).fill(new Uint8Array(size));
  const connection = pair.a.call((engine) => engine.connect(pair.b.address));
  pair.a.call(() => connection.write(data));
  let got = 0;
  pair.b.onEvent = ({ type, connection: accepted }) => {
    if (type !== "readable") return;
    pair.b.call(() => {
      for (let chunk = accepted.read(); chunk; chunk = accepted.read()) {
        assert.deepEqual(chunk, data.subarray(got, got + chunk.length));
        if (got < size / 2 && got + chunk.length >= size / 2) onHalf(pair);
        got += chunk.length;
      }
    });
  };
  pair.runUntil(() => got === size);
  return { stats: connection.stats(), pair };
}

test("on a path that carries Ethernet's packets bulk data uses them", () => {
  assert.equal(transfer(300_000, 1500, () => {}).stats.payload, 1452);
});

test("on a narrow path bulk data loses nothing but probes", () => {
  const { stats, pair } = transfer(10_000_000, 1420, () => {});
  assert.equal(stats.payload, 1332);
  assert.equal(stats.retransmitted, 0);
  assert.ok(pair.ab.counters.dropped.mtu <= 6);
});

test("a path that becomes narrow in mid-transfer swallows nothing for good: lost packets come in fragments", () => {
  const { stats } = transfer(1_000_000, 1500, (pair) => pair.ab.change({ mtu: 1300 }));
  assert.ok(stats.payload <= 1272, `${stats.payload}`);
});
