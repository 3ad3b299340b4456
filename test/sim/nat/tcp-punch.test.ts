import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NatBehaviour } from "../../../src/nat/behaviour.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { TcpInternet, type TcpNat } from "./tcp-internet.ts";
import { meet, TcpSide } from "./tcp-side.ts";

const HOME: TcpNat = { ports: "kept", unsolicited: "dropped" };
const NATS: Readonly<Record<string, TcpNat>> = {
  home: HOME,
  "home with random ports": { ports: "random", unsolicited: "dropped" },
  "home that refuses strangers": { ports: "kept", unsolicited: "refused" },
  "home with the conntrack trap": { ports: "kept", unsolicited: "trapped" },
};
const HARD: TcpNat = { ports: "hard", unsolicited: "dropped" };
const STEPS: TcpNat = { ports: "steps", unsolicited: "dropped" };
const EASY_NAT: NatBehaviour = { mapping: "endpoint-independent" };
const HARD_NAT: NatBehaviour = { mapping: "dependent", ports: "random" };
const STEPS_NAT: NatBehaviour = { mapping: "dependent", ports: 1 };

/** What servers tell a host of its NAT. */
function told(nat: TcpNat | undefined): NatBehaviour {
  if (nat?.ports === "steps") return STEPS_NAT;
  return nat?.ports === "hard" ? HARD_NAT : EASY_NAT;
}

/** Two sides at their homes, after half a minute. */
function play(
  seed: number,
  one: TcpNat | undefined,
  other: TcpNat | undefined,
  options: Parameters<typeof meet>[2] = {},
  latency = 20,
) {
  const internet = new TcpInternet(seed, latency);
  const opener = new TcpSide(internet.host("5.0.0.1", one), true, { attested: "5.0.0.2" });
  const acceptor = new TcpSide(internet.host("5.0.0.2", other), false, { attested: "5.0.0.1" });
  const began = internet.clock.now();
  meet(opener, acceptor, {
    nats: [told(one), told(other)],
    ...options,
  });
  return { internet, opener, acceptor, took: (opener.outcome?.at ?? Number.POSITIVE_INFINITY) - began };
}

type Played = ReturnType<typeof play>;

/** Both have chosen the two ends of one connection, and nothing else is left. */
function assertMet({ internet, opener, acceptor }: Played): void {
  assert.ok(opener.outcome?.chosen, opener.punch.describe());
  assert.ok(acceptor.outcome?.chosen, acceptor.punch.describe());
  assert.deepEqual([opener.host.connections, acceptor.host.connections], [1, 1]);
  internet.clock.advance(30_000);
  assert.equal(internet.clock.referenced, 0);
}

function assertFailed({ internet, opener, acceptor }: Played): void {
  assert.deepEqual([opener.outcome?.chosen, acceptor.outcome?.chosen], [undefined, undefined]);
  assert.ok(opener.outcome && acceptor.outcome, "both give up");
  assert.deepEqual([opener.host.connections, acceptor.host.connections], [0, 0]);
  assert.equal(internet.clock.referenced, 0);
}

describe("two homes meet by simultaneous open, within a second:", () => {
  for (const [one, nat] of Object.entries(NATS)) {
    for (const [other, peerNat] of Object.entries(NATS)) {
      test(`${one} × ${other}`, () =>
        forEachSeed(10, (seed) => {
          const played = play(seed, nat, peerNat);
          assertMet(played);
          assert.equal(played.opener.outcome?.chosen?.kind, "reflexive");
          assert.ok(played.took < 1000, `${played.took} ms`);
        }));
    }
  }
});

test("whoever knows late that all is told, both begin at one moment", () =>
  forEachSeed(20, (seed) => {
    const trap = NATS["home with the conntrack trap"];
    for (const gathering of [
      [0, 0],
      [0, 1500],
      [1500, 0],
      [80, 120],
      [120, 40],
      [300, 300],
    ]) {
      const played = play(seed, trap, trap, { gathering });
      assertMet(played);
      // One SYN each way: nobody was too early.
      assert.deepEqual([played.internet.syns.get("5.0.0.1"), played.internet.syns.get("5.0.0.2")], [1, 1]);
    }
  }));

test("homes that refuse are met where signals take longer one way, in two seconds and a half", () =>
  forEachSeed(5, (seed) => {
    const refusing = NATS["home that refuses strangers"];
    for (const latency of [2, 5, 20, 100]) {
      for (const error of [0, 1, 3, 6, 12, 25, 50].filter((error) => error < 25 || latency > 2)) {
        for (const delay of [
          [150 - error, 150 + error],
          [150 + error, 150 - error],
        ]) {
          const played = play(seed, refusing, refusing, { delay }, latency);
          assertMet(played);
          assert.ok(played.took < 2500, `${played.took} ms, latency ${latency}, error ${error}`);
        }
      }
    }
  }));

describe("where one side can be reached,", () => {
  test("a host without a NAT is met where it listens, also from behind a hard one, and before it is time", () =>
    forEachSeed(5, (seed) => {
      for (const [one, other] of [
        [HARD, undefined],
        [undefined, HARD],
        [HOME, undefined],
        [undefined, undefined],
      ] as const) {
        const played = play(seed, one, other);
        assertMet(played);
        const kinds = [played.opener, played.acceptor].map((side) => side.outcome!.chosen!.kind);
        assert.deepEqual(kinds.toSorted(), ["accepted", "listening"], JSON.stringify([one, other, kinds]));
        assert.ok(played.took <= 250, `${played.took} ms`);
      }
    }));

  test("two hosts of one LAN meet there", () =>
    forEachSeed(5, (seed) => {
      const internet = new TcpInternet(seed);
      const opener = new TcpSide(internet.host("5.0.0.1", HOME), true);
      const acceptor = new TcpSide(internet.host("5.0.0.1", HOME, "192.168.1.3"), false);
      meet(opener, acceptor);
      assert.ok(["192.168.1.2", "192.168.1.3"].includes(opener.outcome!.chosen!.address));
      assert.ok(acceptor.outcome!.chosen);
    }));
});

test("a hard NAT whose ports go up in steps meets a home that guesses the next ones", () =>
  forEachSeed(10, (seed) => {
    for (const [one, other] of [
      [STEPS, HOME],
      [HOME, STEPS],
      [STEPS, NATS["home with random ports"]],
      [NATS["home that refuses strangers"], STEPS],
    ] as const) {
      const played = play(seed, one, other);
      assertMet(played);
      const kinds = [played.opener, played.acceptor].map((side) => side.outcome!.chosen!.kind);
      assert.deepEqual(kinds.toSorted(), ["predicted", "reflexive"]);
    }
  }));

test("a hard NAT meets one that lets everybody in to where we have connected from", () =>
  forEachSeed(10, (seed) => {
    const open: TcpNat = { ports: "random", unsolicited: "dropped", open: true };
    for (const [one, other] of [
      [HARD, open],
      [open, HARD],
    ] as const) {
      const played = play(seed, one, other);
      assertMet(played);
      const kinds = [played.opener, played.acceptor].map((side) => side.outcome!.chosen!.kind);
      assert.deepEqual(kinds.toSorted(), ["accepted", "reflexive"]);
      assert.ok(played.took < 1000, `${played.took} ms`);
    }
  }));

describe("where nothing can work,", () => {
  test("a hard NAT fails with whom it cannot reach, both sides know it within three seconds, and say why", () =>
    forEachSeed(5, (seed) => {
      for (const [one, other] of [
        [HARD, HARD],
        [HARD, HOME],
        [HOME, HARD],
        [STEPS, STEPS],
        [HARD, STEPS],
      ] as const) {
        const played = play(seed, one, other);
        assertFailed(played);
        assert.ok(played.took < 3000, `${played.took} ms`);
        assert.match(played.opener.punch.describe(), /a NAT that gives every peer another port/);
      }
    }));

  test("a peer of whom nothing comes but signals is given up", () =>
    forEachSeed(5, (seed) => {
      const internet = new TcpInternet(seed);
      const opener = new TcpSide(internet.host("5.0.0.1", HOME), true);
      const silent = new TcpSide(internet.host("5.0.0.2", HOME), false, { reach: () => "forbidden" });
      meet(opener, silent);
      assert.ok(opener.outcome && !opener.outcome.chosen);
      assert.ok(opener.outcome.at - 1000 < 12_000);
      assert.match(silent.punch.describe(), /forbidden here/);
    }));
});
