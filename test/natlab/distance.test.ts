/** How long it takes to meet, in round trips: far apart, where what programs take does not show. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Trial } from "./kit/trial.ts";

/** Ms from anywhere to anywhere, the registrar included, one way. */
const LATENCY = 100;
const ROUND_TRIP = 2 * LATENCY;
/** To the registrar and on to the peer. */
const SIGNAL = 2 * LATENCY;

let trial: Trial;

before(async () => {
  trial = await Trial.open({ latency: LATENCY });
});
after(() => trial.close());

test("two homes connect within two and a half round trips and two signals, without waiting for discovery", async () => {
  const pair = await trial.pair("easy-port", "easy-random");
  const times: number[] = [];
  for (let i = 0; i < 4; i++) {
    const { took, transport, error } = await (i % 2 === 0 ? pair : pair.turned).meet();
    assert.equal(transport, "udp-punch", error);
    times.push(took);
  }
  // The best of them: others may have waited for a processor.
  assert.ok(Math.min(...times) < 2.5 * ROUND_TRIP + 2 * SIGNAL, `${times} ms`);
});
