/** What 1tp finds out about the NATs before it is what they are. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { NatBehaviour } from "../../src/nat/behaviour.ts";
import { Lab } from "./kit/lab.ts";
import { startRegistrar } from "./kit/peer.ts";
import { Program } from "./kit/program.ts";
import type { SiteKind } from "./kit/sites.ts";

let lab: Lab;

before(async () => {
  lab = await Lab.open();
  await startRegistrar(lab);
});
after(() => lab.close());

const EASY: NatBehaviour = {
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
  hairpin: false,
};
const HARD: NatBehaviour = { ...EASY, mapping: "address-and-port-dependent", ports: "random" };

const FOUND: readonly (readonly [SiteKind, NatBehaviour])[] = [
  ["easy-full", { ...EASY, filtering: "endpoint-independent" }],
  ["easy-address", { ...EASY, filtering: "address-dependent" }],
  ["easy-port", { ...EASY, ports: "preserving" }],
  ["easy-rejecting", { ...EASY, ports: "preserving" }],
  ["double", EASY],
  ["same-hairpin", { ...EASY, hairpin: true }],
  ["hard", HARD],
  ["hard-sequential", { ...HARD, ports: 1 }],
];

describe("discovery finds", { concurrency: true }, () => {
  for (const [kind, expected] of FOUND) {
    test(`${kind} as it is`, async () => {
      const program = new Program(lab.site(kind).host, "discovery");
      const servers = lab.services.addresses
        .filter((address) => !address.includes(":"))
        .map((address) => ({ address, port: 3478 }));
      assert.deepEqual(await program.call("discover", servers), expected);
      await program.stop();
    });
  }
});
