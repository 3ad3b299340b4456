import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeClientMessage, decodeRegistrarMessage } from "../../../signaling/registrar/protocol.ts";
import { randomRuns } from "../../kit/random-runs.ts";
import { RegistrarBench } from "../../unit/signaling/registrar-bench.ts";

const TYPES = [
  "hello",
  "challenge",
  "register",
  "enrol",
  "unregister",
  "services",
  "relay",
  "open",
  "signal",
  "close",
  "ping",
  "toString",
];
const UID = "0123456789abcdef0123456789abcdef";

/** Values as a stranger writes them: right, nearly right, and anything. */
const anyValue = fc.oneof(
  fc.constantFrom(1, -1, 0, 1.5, 2 ** 53, UID, UID.toUpperCase(), "test", "unread", "offline", "", null),
  fc.integer({ min: -3, max: 3 }),
  fc.string(),
  fc.jsonValue({ maxDepth: 2 }),
);

const anyMessage = fc
  .record(
    {
      type: fc.oneof({ arbitrary: fc.constantFrom(...TYPES), weight: 9 }, { arbitrary: anyValue, weight: 1 }),
      version: fc.constantFrom(1, 2, "1"),
      token: anyValue,
      request: anyValue,
      dialog: anyValue,
      uid: anyValue,
      code: anyValue,
      text: anyValue,
      transportType: anyValue,
      publicKey: anyValue,
      __proto__: anyValue,
    },
    { requiredKeys: ["type"] },
  )
  .map((message) => JSON.stringify(message));

const anyFrame = fc.oneof(
  {
    arbitrary: fc.tuple(anyMessage, fc.constantFrom("", "\n", "\n{}", "\n\n", " ")).map((p) => p.join("")),
    weight: 6,
  },
  { arbitrary: fc.string(), weight: 1 },
  { arbitrary: fc.json(), weight: 1 },
  {
    arbitrary: fc.constantFrom(undefined, "[".repeat(20_000), `{"type":${"[".repeat(1_000)}`, "null", "\n"),
    weight: 1,
  },
);

test("no frame makes the decoders throw", () => {
  const property = fc.property(anyFrame, (frame) => {
    if (frame === undefined) return;
    decodeClientMessage(frame);
    decodeRegistrarMessage(frame);
  });
  fc.assert(property, randomRuns(1000));
});

test("whatever some connections say, nobody else notices and nothing is left of them", async () => {
  const script = fc.array(fc.tuple(fc.nat(3), fc.boolean(), anyFrame), { maxLength: 30 });
  const property = fc.asyncProperty(script, async (steps) => {
    const bench = new RegistrarBench({ limits: { connectRatePerAddress: 1000 }, relay: true });
    const [server, client] = [await bench.greet("192.0.2.1"), await bench.greet("192.0.2.1")];
    const uid = await server.register();
    await client.say({ type: "open", dialog: 1, uid, transportType: "test" });
    client.expect("opened");
    const { dialog } = server.expect("incoming");
    const strangers = Array.from({ length: 4 }, () => bench.connect("192.0.2.2"));
    for (const [index, greets, frame] of steps) {
      const stranger = strangers[index]!;
      if (greets) await stranger.say({ type: "hello", version: 1 });
      await stranger.blurt(frame);
    }
    await client.say({ type: "signal", dialog: 1, body: "1" });
    assert.deepEqual(server.heard, [{ type: "signal", dialog, body: "1" }]);
    assert.deepEqual([client.heard, client.cut, server.cut], [[], undefined, undefined]);
    for (const stranger of strangers) await stranger.leave();
    assert.deepEqual(bench.registrar.gauges(), { connections: 2, registrations: 1, dialogs: 2 });
  });
  await fc.assert(property, randomRuns(150));
});
