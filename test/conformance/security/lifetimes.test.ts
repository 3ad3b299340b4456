import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { TimelessPlace } from "./places.ts";
import { Relay } from "./relay.ts";
import { connections, Scene } from "./scene.ts";
import { isSignaled, TIMELESS_WIRES, type TimelessWire, WIRES } from "./wires.ts";

/** After so much silence a peer is taken for gone (`src/session/exchange.ts`). */
const SILENCE_LIMIT = 60_000;

const HALF_AN_HOUR = 1_800_000;

/** Plays a scene in a place without time. */
function play(
  t: TestContext,
  wire: TimelessWire,
  body: (scene: Scene, place: TimelessPlace) => Promise<void>,
): Promise<void> {
  const place = wire.timeless();
  return place.run(() => body(new Scene(t, wire, place), place));
}

for (const wire of TIMELESS_WIRES) {
  describe(`a secure connection over ${wire.word}`, () => {
    test("lives through half an hour in which nobody says anything", (t) =>
      play(t, wire, async (scene, place) => {
        const stand = await scene.serve();
        const client = scene.dial(stand.info);
        client.socket.write("before");
        await client.hears("before");
        for (let passed = 0; passed < HALF_AN_HOUR; passed += 10_000) await place.pass(10_000);
        client.socket.write(", after");
        assert.equal(await client.hears("after"), "before, after");
        assert.deepEqual(client.events, ["connect"]);
        assert.deepEqual((await stand.visitor()).events, []);
      }));

    test("is ETIMEDOUT on both sides when nothing passes any more", (t) =>
      play(t, wire, async (scene, place) => {
        const stand = await scene.serve();
        const relay = await Relay.open(scene, stand.info[0]!);
        const client = scene.dial(relay.info, {}, relay.transports);
        client.socket.write("hello");
        await client.hears("hello");
        const visitor = await stand.visitor();
        relay.carriers[0]!.mute();
        await place.pass(SILENCE_LIMIT - 1000);
        assert.deepEqual([client.closed, visitor.closed], [false, false]);
        await place.pass(2000);
        assert.deepEqual(await client.gone(), ["connect", "error ETIMEDOUT", "close"]);
        assert.deepEqual(await visitor.gone(), ["error ETIMEDOUT", "close"]);
      }));

    test("that writes into silence is ETIMEDOUT as well", (t) =>
      play(t, wire, async (scene, place) => {
        const stand = await scene.serve();
        const relay = await Relay.open(scene, stand.info[0]!);
        const client = scene.dial(relay.info, {}, relay.transports);
        client.socket.write("hello");
        await client.hears("hello");
        relay.carriers[0]!.mute();
        for (let i = 0; i < 61 && !client.closed; i++) {
          client.socket.write("are you there?");
          await place.pass(1000);
        }
        assert.deepEqual(await client.gone(), ["connect", "error ETIMEDOUT", "close"]);
      }));
  });
}

for (const wire of WIRES) {
  describe(`maxConnections over ${wire.word}`, () => {
    test("counts those alone that are established", async (t) => {
      const scene = new Scene(t, wire, wire.place);
      const dropped: unknown[] = [];
      let admitting = false;
      const stand = await scene.serve({ authorize: () => admitting });
      stand.server.maxConnections = 1;
      stand.server.on("drop", (drop) => dropped.push(drop));
      // Some who say nothing, some who are refused: none of them takes the one place.
      for (let i = 0; i < 5; i++) {
        const silent = scene.open(stand.info[0]!);
        if (isSignaled(wire)) await assert.rejects(silent, { code: "ERR_1TP_PEER_REFUSED" });
        else await silent;
        assert.deepEqual(await scene.dial(stand.info).gone(), ["error ERR_1TP_PEER_REFUSED", "close"]);
      }
      admitting = true;
      const first = scene.dial(stand.info);
      first.socket.write("hello");
      await first.hears("hello");
      assert.equal(await connections(stand.server), 1);
      assert.equal(dropped.length, 0);
      const second = scene.dial(stand.info);
      assert.deepEqual(await second.gone(), ["connect", "end", "close"]);
      assert.equal(dropped.length, 1);
      assert.deepEqual(first.events, ["connect"]);
      first.socket.end();
      await first.gone();
      await (await stand.visitor()).gone();
      const third = scene.dial(stand.info);
      third.socket.end("me?");
      assert.equal(await third.hears("me?"), "me?");
    });
  });
}
