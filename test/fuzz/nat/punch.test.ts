import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { seededRandom } from "../../../src/base/random.ts";
import type { Json } from "../../../src/contract/endpoint.ts";
import { CheckCodec, makeTransactionId } from "../../../src/nat/check.ts";
import { ProbeRuns } from "../../../src/nat/probe-run.ts";
import { Punch } from "../../../src/nat/punch.ts";
import { readPunchSignal } from "../../../src/nat/punch-signal.ts";
import { reachFrom } from "../../../src/nat/reach.ts";
import { nodeCrypto as crypto } from "../../../src/platform/node-crypto.ts";
import { randomRuns } from "../../kit/random-runs.ts";

const IDENTITY = { user: "attacker", password: "0123456789abcdefghijklmn" };
const ATTESTED = "5.0.0.66";

const address = fc.oneof(
  fc.constantFrom(
    ATTESTED,
    "5.1.0.1",
    "5.1.0.2",
    "192.168.1.9",
    "224.0.0.1",
    "127.0.0.1",
    "2a00::1",
    "x",
    "",
  ),
  fc.ipV4(),
  fc.ipV6(),
);
const remote = fc.record({
  address: fc.oneof(fc.constantFrom(ATTESTED, "5.1.0.1", "192.168.1.9"), fc.ipV4()),
  port: fc.integer({ min: 1, max: 65_535 }),
});
const candidate = fc.record({
  kind: fc.constantFrom("host", "reflexive", "predicted", "relay", 1),
  address,
  port: fc.oneof(fc.integer({ min: -1, max: 70_000 }), fc.constantFrom("1", null)),
});
const nat = fc.record(
  {
    mapping: fc.constantFrom("endpoint-independent", "dependent", "address-and-port-dependent", 3),
    filtering: fc.constantFrom("endpoint-independent", "address-and-port-dependent", null),
    ports: fc.constantFrom("preserving", "random", 1, -2, 99, "x"),
  },
  { requiredKeys: [] },
);
const signal = fc.oneof(
  fc.record(
    {
      user: fc.constant(IDENTITY.user),
      password: fc.constant(IDENTITY.password),
      candidates: fc.array(candidate, { maxLength: 40 }),
      nat,
      opened: fc.integer({ min: -1, max: 20 }),
      ready: fc.constantFrom("birthday", "prediction", "low-ttl", "x"),
      again: fc.constant(IDENTITY.password),
    },
    { requiredKeys: ["user", "password"] },
  ),
  fc.jsonValue(),
);

/** What happens to a punch: a signal, a datagram of bytes, an authentic check, sockets, time. */
const operation = fc.oneof(
  fc.record({ do: fc.constant("signal" as const), body: signal }),
  fc.record({ do: fc.constant("bytes" as const), remote, data: fc.uint8Array({ maxLength: 120 }) }),
  fc.record({ do: fc.constant("check" as const), remote }),
  fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 3000 }) }),
  fc.record({ do: fc.constant("sockets" as const), count: fc.integer({ min: 0, max: 256 }) }),
);

type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

const usual = reachFrom([]);

/** A punch with a peer that does as it likes, and what it has sent to whom. */
class Victim {
  readonly sent = new Map<string, number>();
  readonly #punch: Punch;
  readonly #peer = new CheckCodec(crypto, IDENTITY);
  readonly #random = seededRandom(1);
  #now = 0;

  constructor(opener: boolean) {
    this.#punch = new Punch({
      random: this.#random,
      crypto,
      opener,
      reach: usual,
      attested: ATTESTED,
      families: [4, 6],
      runs: new ProbeRuns(),
    });
    this.#punch.addCandidate({ kind: "reflexive", address: "5.0.0.1", port: 4000 }, 0);
    this.#peer.meet(this.#punch.codec.local);
  }

  suffer(step: Operation): void {
    const now = this.#now;
    switch (step.do) {
      case "signal":
        this.#punch.handleSignal(step.body as Json, now);
        break;
      case "bytes":
        this.#punch.handleDatagram(step, 0, now);
        break;
      case "check": {
        const data = this.#peer.request(makeTransactionId(this.#random))!;
        this.#punch.handleDatagram({ data, remote: step.remote }, 0, now);
        break;
      }
      case "sockets": {
        const sockets = Array.from({ length: step.count }, (_, i) => ({ via: 2 + i, port: 5000 + i }));
        this.#punch.addSockets("birthday", sockets, now);
        break;
      }
      case "pass":
        this.#now += step.ms;
        this.#punch.handleTimeout(this.#now);
    }
    this.#drain();
  }

  #drain(): void {
    for (let out = this.#punch.pollTransmit(); out; out = this.#punch.pollTransmit()) {
      const { address: to } = out.remote;
      assert.ok(out.data.length <= 100);
      assert.notEqual(usual(to), "forbidden");
      this.sent.set(to, (this.sent.get(to) ?? 0) + 1);
    }
    for (let event = this.#punch.pollEvent(); event; event = this.#punch.pollEvent()) {
      assert.notEqual(event.type === "way" && event.certainty, "proven", "nobody has answered");
    }
    assert.equal(Number.isNaN(this.#punch.pollTimeout()), false);
  }
}

describe("a punch", () => {
  it("never throws, and keeps to its budget for every IP, whatever the peer does", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), fc.boolean(), (operations, opener) => {
        const victim = new Victim(opener);
        for (const step of operations) victim.suffer(step);
        for (const [to, count] of victim.sent) {
          const most = to === ATTESTED ? 64 * 24 + 2048 : 8;
          assert.ok(count <= most, `${count} datagrams to ${to}`);
        }
      }),
      randomRuns(1500),
    );
  });
});

describe("a signal", () => {
  it("is read or is none, whatever it is", () => {
    fc.assert(
      fc.property(fc.anything(), (body) => {
        const read = readPunchSignal(body);
        assert.ok(read === undefined || read.candidates.length <= 16);
      }),
      randomRuns(3000),
    );
  });
});
