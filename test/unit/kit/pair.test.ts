import assert from "node:assert/strict";
import { test } from "node:test";
import type { Instant } from "../../../src/contract/clock.ts";
import type { Datagram, SocketAddress } from "../../../src/contract/datagram-socket.ts";
import type { DatagramEngine } from "../../../src/contract/engine.ts";
import type { LinkOptions } from "../../kit/link.ts";
import { Pair, type PairOptions } from "../../kit/pair.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { Trace } from "../../kit/trace.ts";

const A: SocketAddress = { address: "10.0.0.1", port: 1001 };
const B: SocketAddress = { address: "10.0.0.2", port: 1002 };
const RETRY = 100;

/**
 * Stop-and-wait: repeats each number until it is acknowledged. Uses one buffer for everything it sends,
 * as the engine contract permits.
 */
class Repeater implements DatagramEngine<string> {
  readonly #peer: SocketAddress;
  readonly #buffer = Buffer.alloc(2);
  readonly #acks: number[] = [];
  readonly #events: string[] = [];
  #sending: number | undefined;
  #due: Instant | undefined;
  #expected = 0;
  retries = 0;
  sources: SocketAddress[] = [];

  constructor(peer: SocketAddress) {
    this.#peer = peer;
  }

  send(value: number, now: Instant): void {
    this.#sending = value;
    this.#due = now;
  }

  handleDatagram({ data, remote }: Datagram, now: Instant): void {
    this.sources.push(remote);
    const [kind, value] = data;
    if (kind === 1) {
      this.#acks.push(value!);
      if (value !== this.#expected) return;
      this.#expected++;
      this.#events.push(`got ${value}`);
    } else if (kind === 2 && value === this.#sending) {
      this.#sending = undefined;
      this.#due = undefined;
      this.#events.push(`acknowledged ${value} at ${now}`);
    }
  }

  handleTimeout(now: Instant): void {
    if (this.#sending === undefined || this.#due === undefined || now < this.#due) return;
    this.retries++;
  }

  pollTransmit(now: Instant): Datagram | undefined {
    const ack = this.#acks.shift();
    if (ack !== undefined) return this.#datagram(2, ack);
    if (this.#sending === undefined || this.#due === undefined || now < this.#due) return undefined;
    this.#due = now + RETRY;
    return this.#datagram(1, this.#sending);
  }

  pollEvent(): string | undefined {
    return this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    return this.#due;
  }

  #datagram(kind: number, value: number): Datagram {
    this.#buffer.set([kind, value]);
    return { data: this.#buffer, remote: this.#peer };
  }
}

function setup(options: Partial<PairOptions<Repeater, Repeater>> = {}) {
  return new Pair({ a: new Repeater(B), b: new Repeater(A), ...options });
}

/** Lets `a` send `count` numbers, each after the one before was acknowledged. */
function sendAll(pair: ReturnType<typeof setup>, count: number): void {
  let next = 1;
  pair.a.onEvent = (event) => {
    if (event.startsWith("acknowledged") && next < count) {
      pair.a.call((engine, now) => engine.send(next++, now));
    }
  };
  pair.a.call((engine, now) => engine.send(0, now));
}

const BAD: LinkOptions = { latency: 10, jitter: 30, loss: 0.2, reorder: 0.1, duplicate: 0.1 };

test("a datagram takes the latency of its direction and events stay with their side", () => {
  const pair = setup({ link: { ab: { latency: 10 }, ba: { latency: 3 } } });
  const start = pair.clock.now();
  pair.a.call((engine, now) => engine.send(0, now));
  assert.deepEqual(pair.b.events, []);
  assert.equal(pair.next(), start + 10);
  assert.equal(pair.step(), true);
  assert.deepEqual(pair.b.events, ["got 0"]);
  pair.step();
  assert.deepEqual(pair.a.events, [`acknowledged 0 at ${start + 13}`]);
  assert.equal(pair.step(), false);
});

test("the receiver sees the sender's address, also after it has changed", () => {
  const pair = setup();
  sendAll(pair, 1);
  pair.runUntilIdle();
  pair.a.address = { address: "10.0.0.9", port: 9 };
  pair.a.call((engine, now) => engine.send(1, now));
  pair.runFor(1);
  assert.deepEqual(pair.b.engine.sources, [A, { address: "10.0.0.9", port: 9 }]);
  assert.equal(pair.misaddressed, 1, "the answer to the old address");
});

test("time-outs are served at their instant until loss has let a datagram through", () => {
  let dropped = 0;
  const pair = setup({
    link: { latency: 5 },
    intercept: (data, from) => (from === "a" && dropped++ < 3 ? undefined : data),
  });
  const start = pair.clock.now();
  pair.a.call((engine, now) => engine.send(0, now));
  pair.runUntilIdle();
  assert.equal(pair.a.engine.retries, 3);
  assert.deepEqual(pair.a.events, [`acknowledged 0 at ${start + 3 * RETRY + 10}`]);
});

test("the intercept may record and change every datagram, though the engine reuses its buffer", () => {
  const seen: Uint8Array[] = [];
  const pair = setup({
    intercept: (data) => {
      seen.push(data);
      return data;
    },
  });
  sendAll(pair, 3);
  pair.runUntilIdle();
  assert.deepEqual(
    seen.map((data) => [...data]),
    [
      [1, 0],
      [2, 0],
      [1, 1],
      [2, 1],
      [1, 2],
      [2, 2],
    ],
  );
  const forged = setup({ intercept: (data) => Uint8Array.of(data[0]!, 0) });
  forged.a.call((engine, now) => engine.send(7, now));
  forged.runFor(1);
  assert.deepEqual(forged.b.events, ["got 0"]);
});

test("run stops at its instant, runFor adds to it, and a timer of the clock takes part", () => {
  const pair = setup({ link: { latency: 10 } });
  const start = pair.clock.now();
  pair.clock.setTimer(start + 50, () => pair.a.call((engine, now) => engine.send(0, now)));
  pair.run(start + 59);
  assert.equal(pair.clock.now(), start + 59);
  assert.deepEqual(pair.b.events, []);
  pair.runFor(1);
  assert.deepEqual(pair.b.events, ["got 0"]);
});

test("runUntil ends when its condition holds, else it throws the reason and the trace", () => {
  const pair = setup({ link: { latency: 10 } });
  sendAll(pair, 5);
  pair.runUntil(() => pair.b.events.length === 2);
  assert.equal(pair.b.events.length, 2);
  assert.throws(
    () => pair.runUntil(() => false),
    (error: Error) =>
      /nothing is left to happen\n/.test(error.message) && /b says "got 4"/.test(error.message),
  );
  pair.ab.change({ cut: true });
  pair.a.call((engine, now) => engine.send(9, now));
  assert.throws(() => pair.runUntil(() => false, 1000), /1000 ms have passed\n.*\(dropped: cut\)/s);
});

test("an engine whose time-out never moves is caught", () => {
  const pair = setup();
  pair.a.engine.pollTimeout = () => pair.clock.now();
  assert.throws(() => pair.runFor(1), /time stands still/);
});

test("the trace tells what was sent, received, dropped, said and timed out", () => {
  const trace = new Trace();
  let first = true;
  const pair = setup({
    trace,
    describe: (data) => `<${data.join(" ")}>`,
    intercept: (data) => {
      const keep = !first;
      first = false;
      return keep ? data : undefined;
    },
  });
  pair.a.call((engine, now) => engine.send(0, now));
  pair.runUntilIdle();
  const start = pair.clock.now() - RETRY;
  assert.deepEqual(
    `${trace}`.split("\n").map((line) => line.trim()),
    [
      [start, "a sends <1 0> (dropped: intercept)"],
      [start + RETRY, "a times out"],
      [start + RETRY, "a sends <1 0>"],
      [start + RETRY, "b receives <1 0>"],
      [start + RETRY, "b sends <2 0>"],
      [start + RETRY, 'b says "got 0"'],
      [start + RETRY, "a receives <2 0>"],
      [start + RETRY, `a says "acknowledged 0 at ${start + RETRY}"`],
    ].map(([at, text]) => `${(at as number).toFixed(3)}  ${text}`),
  );
});

test("the MTU of a link counts the headers of IP and UDP", () => {
  const exact = setup({ link: { mtu: 30 } });
  exact.a.call((engine, now) => engine.send(0, now));
  assert.equal(exact.ab.counters.dropped.mtu, 0);
  const small = setup({ link: { mtu: 29 } });
  small.a.call((engine, now) => engine.send(0, now));
  assert.equal(small.ab.counters.dropped.mtu, 1);
});

test("the same seed gives the same trace, another seed another", () => {
  const story = (seed: number) => {
    const trace = new Trace(10_000);
    const pair = setup({ seed, link: BAD, trace });
    sendAll(pair, 50);
    pair.runUntilIdle();
    return `${trace}`;
  };
  assert.equal(story(5), story(5));
  assert.notEqual(story(5), story(6));
});

test("stop-and-wait gets everything across bad links, for every seed", () =>
  forEachSeed(300, (seed, trace) => {
    const pair = setup({ seed, link: BAD, trace });
    sendAll(pair, 40);
    pair.runUntilIdle();
    assert.deepEqual(
      pair.b.events,
      Array.from({ length: 40 }, (_, i) => `got ${i}`),
    );
    assert.equal(pair.a.events.length, 40);
  }));
