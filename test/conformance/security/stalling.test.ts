import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { Endpoint } from "1tp";
import { runtime } from "#platform";
import { nodeCrypto } from "../../../src/platform/node-crypto.ts";
import { createIdentity } from "../../../src/session/identity.ts";
import { Initiator } from "../../../src/session/initiator.ts";
import type { ChannelProbe } from "../channel-probe.ts";
import type { TimelessPlace } from "./places.ts";
import { connections, Scene } from "./scene.ts";
import { isSignaled, TIMELESS_WIRES, type TimelessWire } from "./wires.ts";

/** How long a server waits for a handshake, and how many it has under way (`src/session/half-open.ts`). */
const DEADLINE = 15_000;
const HALF_OPEN = 1024;

/** Diallers; fewer where each has a dialog first, which is a handshake in itself. */
const crowdOver = (wire: TimelessWire): number => (isSignaled(wire) ? 1_500 : 10_000);

/** A genuine first message to a server. */
function hello({ publicKey }: Endpoint, known = true): Uint8Array {
  const { random } = runtime;
  const identity = createIdentity(nodeCrypto, random);
  return new Initiator({
    crypto: nodeCrypto,
    random,
    identity,
    remotePublicKey: known ? publicKey : undefined,
    allowUnknownPeer: !known,
  }).firstFlight();
}

/** What a dialler may say before it falls silent. */
const BEGINNINGS: Readonly<Record<string, (endpoint: Endpoint) => Uint8Array>> = {
  nothing: () => new Uint8Array(0),
  "the hello byte": (endpoint) => hello(endpoint).subarray(0, 1),
  "half a first message": (endpoint) => hello(endpoint).subarray(0, 60),
  "a whole first message and no confirmation": (endpoint) => hello(endpoint),
  "the first of XX's messages": (endpoint) => hello(endpoint, false),
};

async function begin(scene: Scene, endpoint: Endpoint, what: Uint8Array): Promise<ChannelProbe> {
  const channel = await scene.open(endpoint);
  if (what.length > 0) channel.write(Uint8Array.from(what));
  return channel;
}

/** So many diallers who stop in the middle of their first message, and the oldest of whom have been given up. */
async function gather(scene: Scene, endpoint: Endpoint, size: number): Promise<ChannelProbe[]> {
  const half = hello(endpoint).subarray(0, 60);
  const crowd: ChannelProbe[] = [];
  while (crowd.length < size) {
    crowd.push(...(await Promise.all(Array.from({ length: 100 }, () => begin(scene, endpoint, half)))));
    const old = crowd[crowd.length - HALF_OPEN - 200];
    await old?.until("the end of an old one", () => isOver(old));
    for (const channel of crowd) if (isOver(channel)) channel.abort();
  }
  return crowd;
}

const isOver = (channel: ChannelProbe): boolean => channel.ended || channel.closed !== undefined;

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
  describe(`a server over ${wire.word}`, () => {
    for (const [what, beginning] of Object.entries(BEGINNINGS)) {
      test(`gives a dialler up that has said ${what}, at the deadline`, (t) =>
        play(t, wire, async (scene, place) => {
          const stand = await scene.serve();
          const [endpoint] = stand.info;
          const channel = await begin(scene, endpoint!, beginning(endpoint!));
          await place.pass(DEADLINE - 1000);
          assert.equal(isOver(channel), false);
          await place.pass(1000);
          await channel.until("the end", () => isOver(channel));
          assert.equal(stand.visitors.length, 0);
        }));
    }

    test("gives no more time to one that says a byte now and then", (t) =>
      play(t, wire, async (scene, place) => {
        const stand = await scene.serve();
        const [endpoint] = stand.info;
        const channel = await begin(scene, endpoint!, new Uint8Array(0));
        for (const byte of hello(endpoint!).subarray(0, 15)) {
          if (!isOver(channel)) channel.write(Uint8Array.of(byte));
          await place.pass(1000);
        }
        await channel.until("the end", () => isOver(channel));
        assert.equal(stand.visitors.length, 0);
      }));

    test(`has at most ${HALF_OPEN} of ${crowdOver(wire)} half-done handshakes under way, and goes on serving`, (t) =>
      play(t, wire, async (scene, place) => {
        const stand = await scene.serve();
        const [endpoint] = stand.info;
        const crowd = await gather(scene, endpoint!, crowdOver(wire));
        assert.equal(await connections(stand.server), 0);
        const guest = scene.dial(stand.info);
        guest.socket.write("still there?");
        assert.equal(await guest.hears("?"), "still there?");
        const open = crowd.filter((channel) => !isOver(channel));
        assert.ok(open.length <= HALF_OPEN, `${open.length} are open`);
        await place.pass(DEADLINE);
        for (const channel of open) await channel.until("the end", () => isOver(channel));
        assert.equal(stand.visitors.length, 1);
        assert.equal(await connections(stand.server), 1);
      }));
  });
}
