import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeRelayed } from "../../../signaling/registrar/relay-frame.ts";
import { randomRuns } from "../../kit/random-runs.ts";
import { RegistrarBench, type ScriptedClient } from "../../unit/signaling/registrar-bench.ts";

/** Frames of the channel: right, nearly right, and of no known kind. */
const anyMessage = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.constantFrom("end", "grant 64", "grant 100", "grant 0", "shout"),
);
const anyStep = fc.record({
  far: fc.boolean(),
  verb: fc.constantFrom("ask", "ask", "close", "take", "send", "send", "send", "blurt"),
  kind: fc.integer({ min: 0, max: 4 }),
  message: anyMessage,
  bytes: fc.uint8Array({ maxLength: 8 }),
});
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

/** Two clients with a dialog, and a third that has one with the second. */
async function stage() {
  const bench = new RegistrarBench({ relay: true });
  const [server, near, witness] = [await bench.greet(), await bench.greet(), await bench.greet()];
  const uid = await server.register();
  const numbers: number[] = [];
  for (const client of [near, witness]) {
    await client.say({ type: "open", dialog: 1, uid, transportType: "test" });
    client.expect("opened");
    numbers.push(server.expect("incoming").dialog);
  }
  return { bench, server, near, witness, dialog: numbers[0]! };
}

async function take({ verb, kind, message, bytes }: Step, client: ScriptedClient, dialog: number) {
  const acts: Record<Step["verb"], () => unknown> = {
    ask: () => client.say({ type: "relay", dialog }),
    close: () => client.say({ type: "close", dialog }),
    take: () => client.take(),
    send: () => client.sendBytes(encodeRelayed(dialog, kind, message)),
    blurt: () => client.sendBytes(bytes),
  };
  await acts[verb]();
}

/** `joined`: there is a channel already. Resolves with how many channels there were. */
async function play(joined: boolean, steps: readonly Step[]): Promise<number> {
  const { bench, server, near, witness, dialog } = await stage();
  if (joined) {
    await near.say({ type: "relay", dialog: 1 });
    await server.say({ type: "relay", dialog });
  }
  const relay = bench.registrar.relay!;
  for (const step of steps) {
    if (server.cut || near.cut) break;
    await take(step, step.far ? server : near, step.far ? dialog : 1);
  }
  if (!server.cut) {
    await witness.say({ type: "signal", dialog: 1, body: "1" });
    assert.equal(server.heard.at(-1)?.type, "signal");
  }
  for (const client of [near, server]) await client.leave();
  assert.equal(relay.size, 0);
  bench.clock.advance(10_000);
  assert.equal(witness.cut, undefined);
  await witness.leave();
  assert.equal(bench.clock.armed, 0);
  return relay.counters.channels;
}

test("whatever two clients relay, nobody else notices and nothing is left of them", async () => {
  let channels = 0;
  const steps = fc.array(anyStep, { maxLength: 40, size: "max" });
  const property = fc.asyncProperty(fc.boolean(), steps, async (joined, script) => {
    channels += await play(joined, script);
  });
  await fc.assert(property, randomRuns(300));
  assert.ok(channels > 100, `the runs should reach deep: ${channels} channels`);
});
