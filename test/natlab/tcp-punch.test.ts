/** The fast half of what TCP punches: a pair of every class, three times each, and what it leaves to others. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { SiteKind } from "./kit/sites.ts";
import { type Pair, Trial } from "./kit/trial.ts";

let trial: Trial;

before(async () => {
  trial = await Trial.open();
});
after(() => trial.close());

const TRIES = 3;

/** Chosen: the two seconds that a failure may take, and a machine that does other things. */
const SOON = 5_000;

async function meetDirectly(pair: Pair): Promise<void> {
  for (let i = 0; i < TRIES; i++) {
    const { transport, error } = await (i % 2 === 0 ? pair : pair.turned).meet(["tcp-punch"]);
    assert.equal(transport, "tcp-punch", error);
  }
}

const PAIRS: readonly (readonly [SiteKind, SiteKind, string])[] = [
  ["easy-port", "easy-port", "two homes"],
  ["easy-random", "easy-full", "two homes that choose ports"],
  ["easy-rejecting", "easy-rejecting", "two homes whose routers refuse what they have not asked for"],
  ["easy-accepting", "easy-accepting", "two homes whose routers remember what they have not asked for"],
  ["double", "double", "two homes behind carriers' NATs"],
  ["udp-blocked", "easy-port", "a site without UDP, and a home"],
  ["udp-blocked", "udp-blocked", "two sites without UDP"],
  ["hard", "public", "a hard NAT, and none"],
  ["hard", "easy-full", "a hard NAT, and one that lets everybody in"],
  ["hard", "easy-address", "a hard NAT, and one that filters by address"],
  ["hard-sequential", "easy-port", "a hard NAT with sequential ports, and a home"],
  ["ipv6", "ipv6", "two IPv6 firewalls"],
];

for (const [one, other, words] of PAIRS) {
  test(`${one} × ${other} connect directly by TCP: ${words}`, async () =>
    meetDirectly(await trial.pair(one, other)));
}

for (const kind of ["same-plain", "same-hairpin"] as const) {
  test(`${kind}: two hosts behind one NAT meet by TCP, by their own addresses`, async () => {
    const pair = await trial.neighbours(kind);
    await meetDirectly(pair);
    await pair.connect(["tcp-punch"]);
    const times: number[] = [];
    for (let i = 0; i < 5; i++) times.push(await pair.one.peer.echo());
    assert.ok(Math.min(...times) < 40, `${times} ms: a round trip through the core takes 40`);
    await pair.one.peer.hangUp();
  });
}

for (const [one, other] of [
  ["hard", "easy-port"],
  ["hard", "hard"],
] as const) {
  test(`${one} × ${other} fail soon and say why, and the relay takes over`, async () => {
    const pair = await trial.pair(one, other);
    for (const side of [pair, pair.turned]) {
      const { took, error = "" } = await side.meet(["tcp-punch"]);
      assert.match(error, /a NAT that gives every peer another port/);
      assert.ok(took < SOON, `${took} ms`);
    }
    const { transport, error } = await pair.meet(["tcp-punch", "relay"]);
    assert.equal(transport, "relay", error);
  });
}
