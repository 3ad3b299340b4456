/** Where nothing direct works coturn or the registrar carries the connection; three tries each, all in `npm run test:natlab`. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { SiteKind } from "./kit/sites.ts";
import { Trial } from "./kit/trial.ts";
import type { Word } from "./programs/peer.ts";

let trial: Trial;

before(async () => {
  trial = await Trial.open();
});
after(() => trial.close());

const TRIES = 3;

/** Pairs, what may carry them, and what alone can. */
const PAIRS: readonly (readonly [SiteKind, SiteKind, readonly Word[], readonly string[]])[] = [
  ["hard", "hard", ["udp-punch", "turn-udp", "relay"], ["turn-udp"]],
  ["udp-blocked", "easy-port", ["udp-punch", "turn-tcp"], ["turn-tcp"]],
  ["udp-blocked", "udp-blocked", ["udp-punch", "turn-tcp", "relay"], ["turn-tcp", "relay"]],
  ["tcp-443-only", "hard", ["udp-punch", "relay"], ["relay"]],
  ["ipv6", "hard-sequential", ["udp-punch", "turn-udp"], ["turn-udp"]],
];

for (const [one, other, words, ways] of PAIRS) {
  test(`${one} × ${other} connect through ${ways.join(" or ")}`, async () => {
    const pair = await trial.pair(one, other);
    for (let i = 0; i < TRIES; i++) {
      const { transport = "", error } = await (i % 2 === 0 ? pair : pair.turned).meet(words);
      assert.ok(ways.includes(transport), error ?? `through ${transport}`);
    }
  });
}

test("a dialler without UDP connects by TCP to who is behind a hard NAT and listens over UDP", async () => {
  const pair = await trial.pair("udp-blocked", "hard");
  for (let i = 0; i < TRIES; i++) {
    const { transport, error } = await pair.meet(["turn-udp"]);
    assert.equal(transport, "turn-udp", error);
  }
});
