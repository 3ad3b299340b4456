import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { crypto } from "#platform";
import { SocketIntroducer } from "../../../../signaling/introducer/index.ts";
import { encodeBegin, encodeFrame } from "../../../../signaling/introducer/wire.ts";
import { toBase64Url } from "../../../../src/base/bytes.ts";
import { deriveUid } from "../../../../src/base/uid.ts";
import type { Channel } from "../../../../src/contract/channel.ts";
import type { JsonObject } from "../../../../src/contract/endpoint.ts";
import { simulatedRuntime } from "../../../kit/simulated-runtime.ts";
import { VirtualClock } from "../../../kit/virtual-clock.ts";
import { ScriptedLane } from "./scripted-lane.ts";

const SALT = new Uint8Array(16);

/** A client of the introducer, as its lane shows it. */
class Client {
  readonly lane = new ScriptedLane();
  readonly key: Uint8Array;

  constructor(introducer: SocketIntroducer, name: number, address: string | undefined = `10.0.0.${name}`) {
    this.key = new Uint8Array(32).fill(name);
    const channel = { remotePublicKey: toBase64Url(this.key), lane: () => this.lane };
    introducer.admit(channel as Partial<Channel> as Channel, address);
    this.lane.sink!.onMessage(encodeBegin(0));
    this.say({ type: "hello", version: 1 });
  }

  get uid(): string {
    return deriveUid(crypto, this.key, SALT);
  }

  say(message: JsonObject | string): void {
    const frame = typeof message === "string" ? message : JSON.stringify(message);
    for (const part of encodeFrame(0, frame)) this.lane.sink!.onMessage(part);
  }

  /** What it was told, without bodies. */
  get heard(): JsonObject[] {
    return this.lane.said.map((frame) => JSON.parse(frame.split("\n")[0]!));
  }

  /** The codes with which its dialogs were closed, by dialog. */
  get closes(): Record<string, unknown> {
    const closes = this.heard.filter(({ type }) => type === "close");
    return Object.fromEntries(closes.map(({ dialog, code }) => [dialog, code]));
  }
}

function open() {
  const clock = new VirtualClock();
  const runtime = simulatedRuntime(clock);
  const stun = [{ address: "10.0.0.9", port: 5 }];
  return { clock, introducer: new SocketIntroducer({ runtime, stun: () => stun, relay: false }) };
}

/** A client that reads nothing, and two that have a dialog with it. */
async function callers() {
  const { clock, introducer } = open();
  const [reader, first, second] = [1, 2, 3].map((name) => new Client(introducer, name));
  reader!.say({ type: "enrol", request: 1, salt: toBase64Url(SALT), transportType: "t" });
  await setImmediate();
  for (const client of [first!, second!])
    client.say({ type: "open", dialog: 1, uid: reader!.uid, transportType: "t" });
  await setImmediate();
  return { clock, reader: reader!, first: first!, second: second! };
}

describe("an introducer", () => {
  it("tells each side where it sees the other, and where STUN is answered", async () => {
    const { reader, first } = await callers();
    const incoming = reader.heard.filter(({ type }) => type === "incoming").map(({ address }) => address);
    assert.deepEqual(incoming, ["10.0.0.2", "10.0.0.3"]);
    assert.equal(first.heard.find(({ type }) => type === "opened")?.address, "10.0.0.1");
    first.say({ type: "services", request: 7 });
    const { stun } = first.heard.at(-1)!;
    assert.deepEqual(stun, [{ host: "10.0.0.9", port: 5 }]);
  });

  it("ends the dialog that floods a client who does not read, and no other", async () => {
    const { reader, first, second } = await callers();
    reader.lane.room = 0;
    second.say('{"type":"signal","dialog":1}\n"patience"');
    for (let i = 0; i < 80; i++) first.say(`{"type":"signal","dialog":1}\n"${"x".repeat(16_000)}"`);
    assert.deepEqual([first.closes, second.closes], [{ "1": "unread" }, {}]);
    reader.lane.drain();
    assert.deepEqual(reader.closes, { "-1": "unread" });
    assert.ok(reader.lane.said.some((frame) => frame.endsWith('"patience"')));
    reader.say('{"type":"signal","dialog":-2}\n"thanks"');
    assert.ok(second.lane.said.at(-1)?.endsWith('"thanks"'));
  });

  it("ends the dialogs of a client whose connection has gone", async () => {
    const { reader, first, second } = await callers();
    reader.lane.sink!.onClose();
    assert.deepEqual([first.closes, second.closes], [{ "1": "lost" }, { "1": "lost" }]);
    await setImmediate();
    first.say({ type: "open", dialog: 2, uid: reader.uid, transportType: "t" });
    await setImmediate();
    assert.equal(first.closes["2"], "offline");
  });

  it("keeps no timer when nobody is there, and ends visits of the silent", async () => {
    const { clock, reader, first, second } = await callers();
    await clock.advanceAsync(74_999);
    assert.equal(reader.lane.said.at(-1) === "end 1008", false);
    await clock.advanceAsync(1);
    for (const { lane } of [reader, first, second]) assert.equal(lane.said.at(-1), "end 1008");
    await clock.advanceAsync(100_000);
    assert.deepEqual([clock.armed, clock.referenced], [0, 0]);
  });

  it("passes over clients without lanes or keys", () => {
    const { introducer, clock } = open();
    introducer.admit({} as Channel, "10.0.0.1");
    introducer.admit(
      { remotePublicKey: "x", lane: () => new ScriptedLane() } as Partial<Channel> as Channel,
      "10.0.0.1",
    );
    assert.equal(clock.armed, 0);
  });
});

it("ends the visit of a client that reads no answers, though a dialog has a little of what waits for it", async () => {
  const { clock, introducer } = open();
  const client = new Client(introducer, 1);
  client.lane.room = 0;
  client.say({ type: "ping" });
  client.say({ type: "open", dialog: 1, uid: "0".repeat(32), transportType: "test" });
  await setImmediate();
  for (let second = 0; second < 70; second++) {
    for (let i = 0; i < 1_000; i++) client.say({ type: "ping" });
    clock.advance(1_000);
  }
  client.lane.drain();
  assert.match(client.lane.said.at(-1)!, /^end 1008/);
});
