/** Peers that share one server they can reach, and nothing else: no registrar, no TURN. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ConnectionInfo } from "1tp";
import { Lab } from "./kit/lab.ts";
import { Program } from "./kit/program.ts";
import type { SiteKind } from "./kit/sites.ts";

let lab: Lab;
let introducer: ConnectionInfo;

before(async () => {
  lab = await Lab.open();
  introducer = await new Program(lab.site("public").host, "introducer").call("serve");
});
after(() => lab.close());

const TRIES = 3;

/** Pairs, the way each has to the introducer, and the way between them. */
const PAIRS: readonly (readonly [SiteKind, SiteKind, readonly string[], string])[] = [
  ["easy-port", "easy-port", ["tcp", "tcp"], "udp-punch"],
  ["hard", "hard", ["tcp", "tcp"], "relay"],
  ["udp-blocked", "hard", ["tcp", "tcp"], "relay"],
];

for (const [one, other, by, way] of PAIRS) {
  test(`${one} × ${other} connect through ${way}, introduced by a server that both reach`, async () => {
    const guests = [one, other].map((kind) => new Program(lab.site(kind).host, "guest"));
    const joined = await Promise.all(
      guests.map((guest) => guest.call<{ by: string; info: ConnectionInfo }>("join", introducer)),
    );
    assert.deepEqual(
      joined.map((each) => each.by),
      by,
    );
    for (let i = 0; i < TRIES; i++) {
      const [dialling, answering] = i % 2 === 0 ? [0, 1] : [1, 0];
      assert.equal(await guests[dialling]!.call("meet", joined[answering]!.info), way);
    }
    await Promise.all(guests.map((guest) => guest.stop()));
  });
}
