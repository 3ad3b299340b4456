/** What NATs do to connections that stand. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { SiteKind } from "./kit/sites.ts";
import { type Pair, Trial } from "./kit/trial.ts";

let trial: Trial;

before(async () => {
  trial = await Trial.open();
});
after(() => trial.close());

/** Chosen: several retransmissions, or noticing that nobody answers and a new punch. */
const BOUND = 25_000;

async function held(one: SiteKind, other: SiteKind, disturb: (pair: Pair) => unknown): Promise<void> {
  const pair = await trial.pair(one, other);
  const { transport, error } = await pair.connect();
  assert.equal(transport, "udp-punch", error);
  await pair.one.peer.echo();
  await disturb(pair);
  const took = await pair.one.peer.echo(100_000);
  assert.ok(took < BOUND, `${took} ms`);
  await pair.one.peer.hangUp();
}

// At once, so no two of them share a kind of site.
describe("a connection lives on", { concurrency: true }, () => {
  test("when a NAT gives its host another port", () =>
    held("easy-random", "public", ({ one }) => one.site.forgetMappings()));

  test("when a NAT gets another address", () =>
    held("easy-port", "easy-full", ({ one }) => one.site.renumber(77)));

  test("when a NAT gives its host another port and nobody can be reached until they have punched anew", () =>
    held("double", "easy-rejecting", ({ one }) => one.site.forgetMappings()));

  test("through more silence than a NAT remembers", () =>
    held("short-lived", "easy-accepting", () => setTimeout(12_000)));
});
