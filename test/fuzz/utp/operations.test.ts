import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seededRandom } from "../../../src/base/random.ts";
import type { UtpConnection } from "../../../src/utp/connection.ts";
import { UtpEndpoint } from "../../../src/utp/endpoint.ts";
import type { UtpEvent } from "../../../src/utp/options.ts";
import { Pair, type Side, type SideName } from "../../kit/pair.ts";
import { Pattern } from "../../kit/pattern.ts";
import { randomRuns } from "../../kit/random-runs.ts";

const MINUTE = 60_000;

/** What an application may do, at any moment and as often as it likes. */
const operation = fc.oneof(
  { weight: 6, arbitrary: fc.nat(30_000).map((write) => ({ write })) },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 100_000 }).map((read) => ({ read })) },
  { weight: 2, arbitrary: fc.constant({ readPacket: true }) },
  { weight: 2, arbitrary: fc.constantFrom("end", "close", "abort").map((leave) => ({ leave })) },
  { weight: 1, arbitrary: fc.boolean().map((noDelay) => ({ noDelay })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<(number | false)[]>(false, 10, 5000).map((keepAlive) => ({ keepAlive })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("ledbat", "bbr", "nobody's").map((congestion) => ({ congestion })),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

const step = fc.record({
  side: fc.constantFrom<SideName>("a", "b"),
  operation,
  wait: fc.oneof(fc.constant(0), fc.nat(200), fc.nat(40_000)),
  cut: fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.boolean() }),
});

const circumstances = fc.record({
  seed: fc.nat(2 ** 31),
  loss: fc.constantFrom(0, 0.05, 0.3),
  reorder: fc.constantFrom(0, 0.2),
  duplicate: fc.constantFrom(0, 0.1),
  receiveWindow: fc.constantFrom(1, 1500, 65_536),
  firstFlight: fc.nat(3000),
  boundaries: fc.boolean(),
  steps: fc.array(step, { maxLength: 30 }),
});

type Circumstances = typeof circumstances extends fc.Arbitrary<infer T> ? T : never;

/** Who has a connection by now. */
type Hands = Partial<Record<SideName, Hand>>;

/** One side's connection with what was done to it and what it has told. */
class Hand {
  readonly heard: string[] = [];
  written = 0;
  read = 0;
  ended = false;
  left = false;
  closedWith: Error | undefined;
  readonly #connection: UtpConnection;
  readonly #side: Side<UtpEndpoint>;
  readonly #outgoing: Pattern;
  readonly #incoming: Pattern;

  constructor(connection: UtpConnection, side: Side<UtpEndpoint>, id: number) {
    this.#connection = connection;
    this.#side = side;
    this.#outgoing = new Pattern(id);
    this.#incoming = new Pattern(id ^ 1);
  }

  hear({ type, error }: UtpEvent): void {
    assert.ok(!this.heard.includes("closed"), `${type} after closed`);
    if (type !== "readable" && type !== "drain") assert.ok(!this.heard.includes(type), `${type} twice`);
    if (type === "end") assert.equal(this.#connection.readable, 0, "end before everything was read");
    if (type === "finished") assert.ok(this.ended && this.#connection.unacknowledged === 0);
    this.heard.push(type);
    if (error) this.closedWith = error;
  }

  take(action: Operation): void {
    this.#side.call(() => this.#take(action));
  }

  #take(action: Operation): void {
    const connection = this.#connection;
    if ("write" in action) this.#write(action.write);
    else if ("read" in action) this.#check(connection.read(action.read));
    else if ("readPacket" in action) this.#check(connection.readPacket()?.data);
    else if ("noDelay" in action) connection.setNoDelay(action.noDelay);
    else if ("keepAlive" in action) connection.setKeepAlive(action.keepAlive);
    else if ("congestion" in action) connection.setCongestion(action.congestion);
    else this.#leave(action.leave as "end" | "close" | "abort");
  }

  #write(length: number): void {
    const takes = !this.ended && !this.left && this.#connection.state !== "closed";
    this.#connection.write(this.#outgoing.slice(this.written, length));
    if (takes) this.written += length;
  }

  #check(chunk: Uint8Array | undefined): void {
    if (!chunk) return;
    assert.ok(chunk.length > 0);
    assert.ok(this.#incoming.matches(chunk, this.read), `other bytes at ${this.read}`);
    this.read += chunk.length;
  }

  #leave(how: "end" | "close" | "abort"): void {
    if (how === "end") this.ended = true;
    else this.left = true;
    this.#connection[how]();
  }

  /** Reads all there is and ends, asking whether the other side lives. */
  finish(): void {
    this.#side.call(() => {
      for (let chunk = this.#connection.read(); chunk; chunk = this.#connection.read()) this.#check(chunk);
    });
    this.take({ keepAlive: MINUTE / 2 });
    if (!this.ended && !this.left) this.take({ leave: "end" });
  }

  get state(): string {
    return this.#connection.state;
  }
}

function play({ seed, steps, receiveWindow, firstFlight, boundaries, ...link }: Circumstances): void {
  const endpoint = (n: number) => new UtpEndpoint({ random: seededRandom(seed + n), receiveWindow });
  const pair = new Pair({ a: endpoint(1), b: endpoint(2), seed, link: { latency: 15, jitter: 10, ...link } });
  const hands: Hands = {};
  pair.b.engine.listen({ boundaries });
  for (const name of ["a", "b"] as const) {
    pair[name].onEvent = (event) => {
      if (event.type === "accepted") hands[name] = new Hand(event.connection, pair[name], 1);
      hands[name]!.hear(event);
    };
  }
  const data = new Pattern(0).slice(0, firstFlight);
  const connection = pair.a.call((engine) => engine.connect(pair.b.address, { data, boundaries }));
  hands.a = new Hand(connection, pair.a, 0);
  hands.a.written = data.length;
  for (const { side, operation, wait, cut } of steps) {
    hands[side]?.take(operation);
    if (cut !== undefined) pair.ab.change({ cut });
    pair.runFor(wait);
    for (const hand of [hands.a, hands.b]) checkHand(hand, hand === hands.a ? hands.b : hands.a);
  }
  pair.ab.change({ cut: false });
  finish(pair, hands);
}

function checkHand(hand: Hand | undefined, peer: Hand | undefined): void {
  if (hand) assert.ok(hand.read <= (peer?.written ?? 0), "more was read than written");
}

/** Both applications read and end; everything comes to rest, and what ends in order has lost nothing. */
function finish(pair: Pair<UtpEndpoint, UtpEndpoint>, hands: Hands): void {
  for (let i = 0; i < 400; i++) {
    hands.a?.finish();
    hands.b?.finish();
    if (pair.next() === undefined) break;
    pair.runFor(MINUTE / 4);
  }
  assert.equal(pair.next(), undefined, "something goes on for ever");
  for (const side of [pair.a, pair.b]) assert.equal(side.engine.size, 0);
  checkEnd(hands.a, hands.b);
  checkEnd(hands.b, hands.a);
}

function checkEnd(hand: Hand | undefined, peer: Hand | undefined): void {
  if (!hand) return;
  assert.equal(hand.state, "closed");
  if (hand.closedWith || hand.left) return;
  assert.equal(hand.read, peer!.written, "an orderly end, and not everything was read");
  assert.ok(hand.heard.includes("end"));
}

test("whatever two applications do at whatever moment, bytes stay in order and every connection comes to an end", () => {
  fc.assert(fc.property(circumstances, play), randomRuns(1500));
});
