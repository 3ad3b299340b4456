import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { createIdentity } from "1tp";
import type { ChannelProbe } from "../channel-probe.ts";
import { recordedRuntime } from "./recorded-runtime.ts";
import { Relay } from "./relay.ts";
import { connections, Scene, type Stand } from "./scene.ts";
import { TIMELESS_WIRES, WIRES, type Wire } from "./wires.ts";

const WORDS = "said once";

/** What a client has put on the wire in one whole connection. */
async function recordUp(scene: Scene, stand: Stand): Promise<Buffer> {
  const relay = await Relay.open(scene, stand.info[0]!);
  const client = scene.dial(relay.info, {}, relay.transports);
  client.socket.end(WORDS);
  await client.gone();
  const visitor = await stand.visitor();
  await visitor.gone();
  assert.equal(visitor.heard, WORDS);
  return relay.bytes("up");
}

/** The server has said, or shown, that it wants no more. */
function over(channel: ChannelProbe): Promise<void> {
  return channel.until("the end", () => channel.ended || channel.closed !== undefined);
}

const sceneOf = (t: TestContext, wire: Wire): Scene => new Scene(t, wire, wire.place);

for (const wire of WIRES) {
  describe(`what was recorded over ${wire.word}`, () => {
    test("makes no second connection when it is sent again, whole", async (t) => {
      const scene = sceneOf(t, wire);
      const stand = await scene.serve();
      const recorded = await recordUp(scene, stand);
      for (let i = 0; i < 3; i++) {
        const again = await scene.open(stand.info[0]!);
        again.write(Buffer.from(recorded));
        await over(again);
      }
      assert.equal(stand.visitors.length, 1);
      assert.equal(await connections(stand.server), 0);
    });

    test("makes none either when each message waits for an answer", async (t) => {
      const scene = sceneOf(t, wire);
      const stand = await scene.serve();
      const recorded = await recordUp(scene, stand);
      const length = 3 + recorded.readUInt16BE(1);
      const again = await scene.open(stand.info[0]!);
      again.write(Buffer.from(recorded.subarray(0, length)));
      // The answer, which says nothing without the key the first message was made with.
      await again.until("an answer", () => again.bytes === 50);
      again.write(Buffer.from(recorded.subarray(length)));
      await over(again);
      assert.equal(stand.visitors.length, 1);
    });

    test("is worth nothing at another server, nor at the same one with another key", async (t) => {
      const scene = sceneOf(t, wire);
      const stand = await scene.serve();
      const recorded = await recordUp(scene, stand);
      const other = await scene.serve({ identity: createIdentity() });
      const again = await scene.open(other.info[0]!);
      again.write(Buffer.from(recorded));
      await over(again);
      assert.deepEqual(again.received(), Buffer.of(0, 0, 2));
      assert.equal(other.visitors.length, 0);
    });

    test("leaves the server serving others", async (t) => {
      const scene = sceneOf(t, wire);
      const stand = await scene.serve();
      const recorded = await recordUp(scene, stand);
      for (let i = 0; i < 20; i++) (await scene.open(stand.info[0]!)).write(Buffer.from(recorded));
      const client = scene.dial(stand.info);
      client.socket.write(WORDS);
      assert.equal(await client.hears(WORDS), WORDS);
      assert.equal(stand.visitors.length, 2);
    });
  });
}

test("datagrams of a client that are sent again, from wherever, make no second connection", async (t) => {
  const wire = TIMELESS_WIRES.find(({ word }) => word === "udp")!;
  const place = wire.timeless();
  const sent: Uint8Array[] = [];
  const client = recordedRuntime(place.client, (data, way) => void (way === "sent" && sent.push(data)));
  const scene = new Scene(t, wire, { ...place, client });
  await place.run(async () => {
    const stand = await scene.serve();
    const guest = scene.dial(stand.info);
    guest.socket.end(WORDS);
    await guest.gone();
    await (await stand.visitor()).gone();
    const { address, port } = stand.info[0]!.transportInfo as { address: string; port: number };
    for (let i = 0; i < 3; i++) {
      const socket = await place.client.bindDatagram!({ address: "0.0.0.0" });
      socket.attach({ onDatagram() {} });
      for (const data of [...sent]) {
        socket.send(data, { address, port });
        await place.pass(100);
      }
    }
    await place.pass(60_000);
    assert.equal(stand.visitors.length, 1);
    assert.equal((await stand.visitor()).heard, WORDS);
    assert.equal(await connections(stand.server), 0);
  });
});
