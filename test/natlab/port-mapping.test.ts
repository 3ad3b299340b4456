/** A hard NAT that its host may ask for a mapping: nobody has to punch it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import type { Site } from "./kit/site.ts";
import { type Pair, Trial } from "./kit/trial.ts";

let trial: Trial;
let pair: Pair;

before(async () => {
  trial = await Trial.open();
  pair = await trial.pair("hard", "hard-mapping");
});
after(() => trial.close());

/** The rules by which a router lets everybody in. */
function mappings({ routers: [router] }: Site): string[] {
  const args = ["netns", "exec", router!.namespace, "nft", "list", "chain", "inet", "mapped", "inward"];
  const { stdout } = spawnSync("ip", args, { encoding: "utf8" });
  return stdout.split("\n").filter((line) => line.includes("dnat"));
}

test("hard × hard connect directly where the listener's gateway maps ports", async () => {
  for (let i = 0; i < 3; i++) {
    const { transport, error } = await pair.meet();
    assert.equal(transport, "udp-punch", error);
  }
});

test("a listener has one mapping, and none once it has closed", async () => {
  const { site, peer } = pair.other;
  await pair.connect();
  assert.equal(mappings(site).length, 1);
  await pair.one.peer.hangUp();
  await peer.listen(["relay"]);
  assert.deepEqual(mappings(site), []);
});
