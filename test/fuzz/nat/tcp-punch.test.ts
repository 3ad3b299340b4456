import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { seededRandom } from "../../../src/base/random.ts";
import type { Json } from "../../../src/contract/endpoint.ts";
import { CheckCodec, makeTransactionId } from "../../../src/nat/check.ts";
import { reachFrom } from "../../../src/nat/reach.ts";
import { TcpPunch } from "../../../src/nat/tcp/punch.ts";
import { readTcpSignal } from "../../../src/nat/tcp/signal.ts";
import { nodeCrypto as crypto } from "../../../src/platform/node-crypto.ts";
import { randomRuns } from "../../kit/random-runs.ts";

const IDENTITY = { user: "attacker", password: "0123456789abcdefghijklmn" };
const ATTESTED = "5.0.0.66";
/** Whatever the order of things, all is over by then (chosen: what every wait together comes to, several times). */
const LONG = 600_000;

const flag = fc.constantFrom(true, false, 1, "yes", null);
const candidate = fc.record({
  kind: fc.constantFrom("host", "reflexive", "listening", "predicted", 1),
  address: fc.oneof(
    fc.constantFrom(ATTESTED, "5.1.0.1", "5.1.0.2", "192.168.1.9", "224.0.0.1", "127.0.0.1", "2a00::1", "x"),
    fc.ipV4(),
    fc.ipV6(),
  ),
  port: fc.oneof(fc.integer({ min: -1, max: 70_000 }), fc.constantFrom("1", null)),
});
const signal = fc.oneof(
  fc.record(
    {
      user: fc.constant(IDENTITY.user),
      password: fc.constant(IDENTITY.password),
      candidates: fc.array(candidate, { maxLength: 40 }),
      nat: fc.record({
        mapping: fc.constantFrom("dependent", "endpoint-independent", 3),
        ports: fc.constantFrom(1, -2, 16, 99, "random", null),
      }),
      complete: flag,
      ask: flag,
      answer: flag,
      go: flag,
      spent: flag,
    },
    { requiredKeys: ["user", "password"] },
  ),
  fc.jsonValue(),
);
const link = fc.nat({ max: 30 });

/** What happens to a punch: a signal, a connection that comes, opens or goes, bytes or a message on it, time, the end of the dialog. */
const operation = fc.oneof(
  fc.record({ do: fc.constant("signal" as const), body: signal }),
  fc.record({ do: fc.constantFrom("accept", "complete", "leave") }),
  fc.record({ do: fc.constantFrom("opened", "closed", "nonsense", "ask", "nominate"), link }),
  fc.record({ do: fc.constant("bytes" as const), link, data: fc.uint8Array({ maxLength: 120 }) }),
  fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 3000 }) }),
);

type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

const usual = reachFrom([]);

/** A punch with a peer that does as it likes, and what it has connected to. */
class Victim {
  readonly tried = new Map<string, number>();
  readonly #punch: TcpPunch;
  readonly #peer = new CheckCodec(crypto, IDENTITY);
  readonly #random = seededRandom(1);
  /** Events after which there must be none. */
  #ended = false;
  #now = 0;

  constructor(opener: boolean) {
    const families = [4, 6] as const;
    this.#punch = new TcpPunch({
      random: this.#random,
      crypto,
      opener,
      reach: usual,
      attested: ATTESTED,
      families,
    });
    this.#punch.addCandidate({ kind: "host", address: "5.0.0.1", port: 4000 });
    this.#peer.meet(this.#punch.codec.local);
  }

  suffer(step: Operation): void {
    const { do: what, link = 0 } = step as { readonly do: string; readonly link?: number };
    const id = makeTransactionId(this.#random);
    if (what === "signal") this.#punch.handleSignal((step as { body: Json }).body, this.#now);
    if (what === "accept") this.#punch.accepted({ address: "5.1.0.1", port: 1 }, this.#now);
    if (what === "complete") this.#punch.complete({}, this.#now);
    if (what === "leave") this.#punch.leave(this.#now);
    if (what === "opened") this.#punch.opened(link, this.#now);
    if (what === "closed") this.#punch.closed(link, this.#now);
    if (what === "nonsense") this.#punch.handleNonsense(link, this.#now);
    if (what === "ask") this.#punch.handleFrame(link, this.#peer.request(id)!, this.#now);
    if (what === "nominate") this.#punch.handleFrame(link, this.#peer.nomination(id)!, this.#now);
    if (what === "bytes") this.#punch.handleFrame(link, (step as { data: Uint8Array }).data, this.#now);
    if (what === "pass") this.pass((step as { ms: number }).ms);
    this.#drain();
  }

  /** Time passes, from one instant that matters to the next. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (let turns = 0; ; turns++) {
      assert.ok(turns < 1000, "it wants to be woken for ever");
      const at = this.#punch.pollTimeout();
      assert.equal(Number.isNaN(at), false);
      if (at === undefined || at > end) break;
      this.#now = Math.max(this.#now, at);
      this.#punch.handleTimeout(this.#now);
      this.#drain();
    }
    this.#now = end;
  }

  /** Whether it waits for nothing. */
  get isQuiet(): boolean {
    return this.#punch.pollTimeout() === undefined;
  }

  #drain(): void {
    for (let out = this.#punch.pollTransmit(); out; out = this.#punch.pollTransmit()) {
      assert.ok(out.data.length <= 100);
    }
    for (let event = this.#punch.pollEvent(); event; event = this.#punch.pollEvent()) {
      assert.equal(this.#ended, false, `${event.type} after the end`);
      this.#ended = event.type === "exhausted" || event.type === "chosen";
      assert.notEqual(event.type, "chosen", "nobody has answered");
      if (event.type !== "connect") continue;
      const { address } = event.remote;
      assert.notEqual(usual(address), "forbidden");
      this.tried.set(address, (this.tried.get(address) ?? 0) + 1);
    }
  }
}

describe("a TCP punch", () => {
  it("never throws, keeps to its budget for every IP, and comes to rest, whatever the peer does", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), fc.boolean(), (operations, opener) => {
        const victim = new Victim(opener);
        for (const step of operations) victim.suffer(step);
        victim.pass(LONG);
        assert.ok(victim.isQuiet, "something is still waited for");
        for (const [to, count] of victim.tried) {
          assert.ok(count <= (to === ATTESTED ? (16 + 24) * 24 : 8), `${count} connections to ${to}`);
        }
      }),
      randomRuns(1500),
    );
  });
});

describe("a signal of TCP", () => {
  it("is read or is none, whatever it is", () => {
    fc.assert(
      fc.property(fc.anything(), (body) => {
        const read = readTcpSignal(body);
        assert.ok(read === undefined || read.candidates.length <= 16);
      }),
      randomRuns(3000),
    );
  });
});
