import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { codeOf } from "../../../src/base/errors.ts";
import type { Dependence } from "../../kit/network/filter.ts";
import type { NatOptions } from "../../kit/network/nat.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { expectation } from "./expectation.ts";
import { Internet, meet, type Outcome } from "./punching.ts";

const DEPENDENCES: readonly Dependence[] = [
  "endpoint-independent",
  "address-dependent",
  "address-and-port-dependent",
];

/** Every kind of NAT. */
const KINDS: readonly NatOptions[] = DEPENDENCES.flatMap((mapping) =>
  DEPENDENCES.flatMap((filtering) =>
    (["preserving", "random", { sequential: 1 }] as const).map((ports) => ({ mapping, filtering, ports })),
  ),
);

function nameOf({ mapping, filtering, ports = "preserving" }: NatOptions): string {
  return `mapping ${mapping}, filtering ${filtering}, ports ${typeof ports === "string" ? ports : "in steps"}`;
}

/** What the dialling side's punch says, and the most datagrams either side has sent. */
function judge(server: NatOptions, client: NatOptions, { took, error, stories }: Outcome): void {
  const expected = expectation(client, server);
  const sent = stories.map((story) => [...story.sent.values()].reduce((sum, count) => sum + count, 0));
  if ("why" in expected) {
    // Some of these meet by chance, or because a port was guessed.
    if (!error) return;
    assert.equal(codeOf(error), "ERR_1TP_PUNCH_FAILED");
    assert.match(error.message, /both sides' NATs give every peer another port/);
    assert.match(error.message, /here mapping dependent, .*there mapping dependent/);
    return;
  }
  assert.equal(error, undefined);
  const winners = stories.map(({ trick }) => trick);
  assert.ok(
    winners.some((trick) => expected.tricks.includes(trick ?? "")),
    `won by ${winners}, not ${expected.tricks}`,
  );
  assert.ok(Math.max(...sent) <= expected.most, `${sent} datagrams were sent, not ${expected.most} at most`);
  const bound = expected.tricks.includes("birthday") ? 10_000 : 400;
  assert.ok(took! <= bound, `took ${took} ms`);
}

describe("every mapping × filtering × port policy on both sides", () => {
  for (const server of KINDS) {
    test(`to a server with ${nameOf(server)}`, () =>
      // Each seed takes every kind of client once.
      forEachSeed(1, async (seed) => {
        for (const [i, client] of KINDS.entries()) {
          const internet = await Internet.open({ seed: seed * KINDS.length + i });
          const there = internet.peer(internet.home("server", "5.0.0.1", server).host, "5.0.0.1");
          const here = internet.peer(internet.home("client", "5.0.0.2", client).host, "5.0.0.2");
          const outcome = await meet(internet, there, here);
          try {
            judge(server, client, outcome);
          } catch (error) {
            throw new Error(`from a client with ${nameOf(client)}: ${(error as Error).message}`, {
              cause: error,
            });
          }
        }
      }));
  }
});
