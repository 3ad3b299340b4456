/** The fast half of what must connect directly: a pair of every class, three times each. `npm run test:natlab` is the rest. */
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

async function meetDirectly(pair: Pair): Promise<void> {
  for (let i = 0; i < TRIES; i++) {
    const { transport, error } = await (i % 2 === 0 ? pair : pair.turned).meet();
    assert.equal(transport, "udp-punch", error);
  }
}

const PAIRS: readonly (readonly [SiteKind, SiteKind, string])[] = [
  ["easy-port", "easy-port", "two homes"],
  ["easy-accepting", "easy-rejecting", "two homes whose routers answer what they have not asked for"],
  ["double", "double", "two homes behind carriers' NATs"],
  ["hard", "easy-full", "a hard NAT, and one that lets everybody in"],
  ["hard", "easy-address", "a hard NAT, and one that filters by address"],
  ["hard", "easy-port", "a hard NAT with random ports, and a home"],
  ["hard-sequential", "easy-port", "a hard NAT with sequential ports, and a home"],
  ["ipv6", "ipv6", "two IPv6 firewalls"],
];

for (const [one, other, words] of PAIRS) {
  test(`${one} × ${other} connect directly: ${words}`, async () =>
    meetDirectly(await trial.pair(one, other)));
}

for (const kind of ["same-plain", "same-hairpin"] as const) {
  test(`${kind}: two hosts behind one NAT meet by their own addresses`, async () => {
    const pair = await trial.neighbours(kind);
    await meetDirectly(pair);
    await pair.connect();
    const times: number[] = [];
    for (let i = 0; i < 5; i++) times.push(await pair.one.peer.echo());
    assert.ok(Math.min(...times) < 40, `${times} ms: a round trip through the core takes 40`);
    await pair.one.peer.hangUp();
  });
}
