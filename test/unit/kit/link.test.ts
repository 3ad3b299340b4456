import assert from "node:assert/strict";
import { test } from "node:test";
import { Link, type LinkOptions } from "../../kit/link.ts";

interface Packet {
  readonly data: Uint8Array;
  readonly id: number;
}

interface Arrival extends Packet {
  readonly at: number;
}

function packet(id: number, length = 4): Packet {
  const data = new Uint8Array(length);
  if (length >= 4) new DataView(data.buffer).setUint32(0, id);
  return { data, id };
}

/** Takes everything off the link, each packet at its own instant. */
function drain(link: Link<Packet>): Arrival[] {
  const arrivals: Arrival[] = [];
  for (let at = link.next(); at !== undefined; at = link.next()) {
    assert.equal(link.poll(at - 0.001), undefined);
    arrivals.push({ ...link.poll(at)!, at });
  }
  return arrivals;
}

/** Sends `count` packets of `size` bytes, one every `gap` ms, and gives all arrivals. */
function flood(options: LinkOptions, count: number, { seed = 7, size = 100, gap = 1 } = {}) {
  const link = new Link<Packet>(options, seed);
  for (let id = 0; id < count; id++) link.send(packet(id), size, id * gap);
  return { link, arrivals: drain(link) };
}

/** Lengths of the runs of lost ids. */
function lossRuns(arrivals: readonly Arrival[], count: number): number[] {
  const arrived = new Set(arrivals.map((arrival) => arrival.id));
  const runs: number[] = [];
  let run = 0;
  for (let id = 0; id <= count; id++) {
    if (id < count && !arrived.has(id)) run++;
    else if (run > 0) {
      runs.push(run);
      run = 0;
    }
  }
  return runs;
}

function assertNear(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not within ${tolerance} of ${expected}`);
}

test("a link without options delivers everything at once, in order, untouched", () => {
  const { link, arrivals } = flood({}, 100);
  assert.deepEqual(
    arrivals,
    Array.from({ length: 100 }, (_, id) => ({ ...packet(id), at: id })),
  );
  assert.equal(link.counters.sent, 100);
  assert.equal(link.counters.delivered, 100);
  assert.equal(link.counters.deliveredBytes, 10_000);
});

test("latency delays each packet by as much", () => {
  const { arrivals } = flood({ latency: 25 }, 10);
  for (const { at, id } of arrivals) assert.equal(at, id + 25);
});

test("jitter spreads the delay over its range and overtakes nothing", () => {
  const { arrivals } = flood({ latency: 10, jitter: 20 }, 5000, { gap: 100 });
  const delays = arrivals.map(({ at, id }) => at - id * 100);
  assert.ok(Math.min(...delays) >= 10 && Math.max(...delays) < 30);
  assertNear(delays.reduce((sum, delay) => sum + delay) / delays.length, 20, 0.5);
  const dense = flood({ latency: 10, jitter: 20 }, 5000, { gap: 1 }).arrivals;
  assert.ok(dense.every(({ id }, index) => id === index));
});

test("random loss takes its share and the losses are independent", () => {
  const { link, arrivals } = flood({ loss: 0.1 }, 20_000);
  assertNear(link.counters.dropped.loss / 20_000, 0.1, 0.01);
  assert.equal(arrivals.length + link.counters.dropped.loss, 20_000);
  const runs = lossRuns(arrivals, 20_000);
  assertNear(runs.reduce((sum, run) => sum + run) / runs.length, 1 / 0.9, 0.05);
});

test("burst loss has the share and the burst length of its chain", () => {
  const { link, arrivals } = flood({ loss: { enter: 0.01, leave: 0.2 } }, 50_000);
  // Stationary share of the bad state: enter / (enter + leave); mean stay: 1 / leave.
  assertNear(link.counters.dropped.loss / 50_000, 0.01 / 0.21, 0.01);
  const runs = lossRuns(arrivals, 50_000);
  assertNear(runs.reduce((sum, run) => sum + run) / runs.length, 5, 0.6);
});

test("burst loss may also lose in the good state and spare some in the bad one", () => {
  const { link } = flood({ loss: { enter: 0.1, leave: 0.1, good: 0.02, bad: 0.5 } }, 50_000);
  assertNear(link.counters.dropped.loss / 50_000, 0.26, 0.02);
});

test("a rate spaces packets by their time on the wire", () => {
  // 1000 bytes at 1 Mbit/s take 8 ms.
  const { link, arrivals } = flood({ rate: 1e6, latency: 5 }, 10, { size: 1000, gap: 0 });
  for (const { at, id } of arrivals) assertNear(at, 5 + 8 * (id + 1), 1e-9);
  assertNear(link.counters.maxQueueMillis, 72, 1e-9);
});

test("an idle link does not save up rate", () => {
  const link = new Link<Packet>({ rate: 1e6 }, 1);
  link.send(packet(1), 1000, 0);
  link.send(packet(2), 1000, 1000);
  link.send(packet(3), 1000, 1000);
  assert.deepEqual(
    drain(link).map((arrival) => arrival.at),
    [8, 1008, 1016],
  );
});

test("a full queue in bytes drops at the tail and takes packets again as it empties", () => {
  const link = new Link<Packet>({ rate: 1e6, queueBytes: 3000 }, 1);
  const fates = Array.from({ length: 6 }, (_, id) => link.send(packet(id), 1000, 0));
  assert.deepEqual(fates, [undefined, undefined, undefined, "queue", "queue", "queue"]);
  assert.equal(link.send(packet(6), 1000, 7.9), "queue");
  assert.equal(link.send(packet(7), 1000, 8), undefined);
  assert.deepEqual(
    drain(link).map((arrival) => arrival.id),
    [0, 1, 2, 7],
  );
  assert.equal(link.counters.dropped.queue, 4);
});

test("a queue bounded in ms never makes a packet wait longer", () => {
  const { link } = flood({ rate: 1e6, queueMillis: 50 }, 500, { size: 1000, gap: 1 });
  assert.ok(link.counters.maxQueueMillis <= 50 && link.counters.maxQueueMillis > 42);
  assert.ok(link.counters.dropped.queue > 400);
});

test("an idle link takes a packet larger than its queue", () => {
  const link = new Link<Packet>({ rate: 1e6, queueBytes: 100 }, 1);
  assert.equal(link.send(packet(1), 1500, 0), undefined);
  assert.equal(link.send(packet(2), 1500, 1), "queue");
});

test("an overload gets exactly the rate through", () => {
  const { link, arrivals } = flood({ rate: 8e6, queueBytes: 20_000 }, 10_000, { size: 1000, gap: 0.5 });
  const lasted = arrivals.at(-1)!.at - arrivals[0]!.at;
  assertNear((link.counters.deliveredBytes * 8) / lasted, 8000, 10);
});

test("packets over the MTU are dropped, those of its size pass", () => {
  const link = new Link<Packet>({ mtu: 1500 }, 1);
  assert.equal(link.send(packet(1), 1500, 0), undefined);
  assert.equal(link.send(packet(2), 1501, 0), "mtu");
  assert.equal(link.counters.dropped.mtu, 1);
});

test("reordering lets later packets overtake its share and loses none", () => {
  const { link, arrivals } = flood({ reorder: 0.05, reorderDelay: 3.5 }, 10_000);
  assert.equal(arrivals.length, 10_000);
  assertNear(link.counters.reordered, 500, 70);
  let overtaken = 0;
  let highest = -1;
  for (const { id } of arrivals) {
    if (id < highest) overtaken++;
    else highest = id;
  }
  assert.equal(overtaken, link.counters.reordered);
});

test("duplicates arrive right behind, in an array of their own", () => {
  const { link, arrivals } = flood({ duplicate: 0.2 }, 5000);
  assertNear(link.counters.duplicated, 1000, 90);
  assert.equal(arrivals.length, 5000 + link.counters.duplicated);
  const twins = arrivals.filter(({ id }, index) => arrivals[index - 1]?.id === id);
  assert.equal(twins.length, link.counters.duplicated);
  for (const twin of twins) {
    const first = arrivals.find(({ id }) => id === twin.id)!;
    assert.deepEqual(first.data, twin.data);
    assert.notEqual(first.data.buffer, twin.data.buffer);
  }
});

test("a Buffer is copied like any other array", () => {
  const link = new Link<{ data: Uint8Array }>({ corrupt: 1, duplicate: 1 }, 3);
  const original = Buffer.from("abc");
  link.send({ data: original }, 31, 0);
  const [one, two] = [link.poll(0)!.data, link.poll(0)!.data];
  one.fill(0);
  assert.equal(`${original}`, "abc");
  assert.notDeepEqual(two, one);
});

test("corruption flips exactly one bit of a copy", () => {
  const original = packet(0x12345678, 64);
  const link = new Link<Packet>({ corrupt: 1 }, 3);
  link.send(original, 100, 0);
  link.send(packet(1, 0), 28, 0);
  const [damaged, empty] = drain(link);
  let flipped = 0;
  for (const [i, byte] of damaged!.data.entries()) {
    for (let bits = byte ^ original.data[i]!; bits; bits &= bits - 1) flipped++;
  }
  assert.equal(flipped, 1);
  assert.equal(empty!.data.length, 0);
  assert.equal(link.counters.corrupted, 1);
});

test("a link that is cut drops what is sent, not what is in flight", () => {
  const link = new Link<Packet>({ latency: 10 }, 1);
  link.send(packet(1), 100, 0);
  link.change({ cut: true });
  assert.equal(link.send(packet(2), 100, 5), "cut");
  link.change({ cut: false, latency: 1 });
  assert.equal(link.send(packet(3), 100, 20), undefined);
  assert.deepEqual(
    drain(link).map(({ id, at }) => [id, at]),
    [
      [1, 10],
      [3, 21],
    ],
  );
});

test("a shorter latency from now on does not overtake what is in flight", () => {
  const link = new Link<Packet>({ latency: 100 }, 1);
  link.send(packet(1), 100, 0);
  link.change({ latency: 10 });
  link.send(packet(2), 100, 1);
  assert.deepEqual(
    drain(link).map(({ id, at }) => [id, at]),
    [
      [1, 100],
      [2, 100],
    ],
  );
});

test("an infinite rate lifts the limit", () => {
  const link = new Link<Packet>({ rate: 1000, queueBytes: 10 }, 1);
  link.change({ rate: Number.POSITIVE_INFINITY, queueBytes: Number.POSITIVE_INFINITY });
  for (let id = 0; id < 3; id++) assert.equal(link.send(packet(id), 1000, 5), undefined);
  assert.deepEqual(
    drain(link).map((arrival) => arrival.at),
    [5, 5, 5],
  );
});

test("the same seed gives the same fate of every packet, another seed another", () => {
  const options = { latency: 5, jitter: 9, loss: 0.1, reorder: 0.1, duplicate: 0.1, corrupt: 0.1 };
  const first = flood(options, 500, { seed: 11 }).arrivals;
  assert.deepEqual(flood(options, 500, { seed: 11 }).arrivals, first);
  assert.notDeepEqual(flood(options, 500, { seed: 12 }).arrivals, first);
});
