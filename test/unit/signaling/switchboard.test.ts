import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDirectory } from "../../../signaling/registrar/memory-directory.ts";
import { RegistrarBench, type ScriptedClient } from "./registrar-bench.ts";

const NOBODY = "0123456789abcdef0123456789abcdef";

/** A dialog of `client` to `server`, as both number it. */
async function dial(
  client: ScriptedClient,
  server: ScriptedClient,
  uid: string,
  dialog = 1,
): Promise<number> {
  await client.say({ type: "open", dialog, uid, transportType: "test" });
  client.expect("opened");
  return server.expect("incoming").dialog;
}

async function pair(bench = new RegistrarBench(), other = bench) {
  const [server, client] = [await bench.greet("192.0.2.1"), await other.greet("192.0.2.2")];
  const uid = await server.register();
  const incoming = await dial(client, server, uid);
  return { bench, server, client, uid, incoming };
}

test("bodies are passed on as they are, whatever they are, both ways and in order", async () => {
  const { server, client, incoming } = await pair();
  const bodies = ["1", '{"a": [1,  2]}', "no JSON at all", "", "two\nlines", '{"type":"close","dialog":1}'];
  for (const body of bodies) {
    await client.say({ type: "signal", dialog: 1, body });
    await server.say({ type: "signal", dialog: incoming, body: `${body}!` });
  }
  for (const body of bodies) {
    assert.deepEqual(server.expect("signal"), { type: "signal", dialog: incoming, body });
    assert.deepEqual(client.expect("signal"), { type: "signal", dialog: 1, body: `${body}!` });
  }
});

test("each side of a dialog is told where its registrar sees the other, in a cluster too", async () => {
  const directory = new MemoryDirectory();
  const here = await new RegistrarBench({ directory, seed: 1 }).join();
  const there = await new RegistrarBench({ directory, seed: 2 }).join();
  for (const other of [here, there]) {
    const server = await here.greet("198.51.100.7");
    const client = await other.greet("2001:db8::7");
    const uid = await server.register();
    await client.say({ type: "open", dialog: 1, uid, transportType: "test" });
    assert.equal(server.expect("incoming").address, "2001:db8::7");
    assert.equal(client.expect("opened").address, "198.51.100.7");
  }
});

test("a dialog whose number is used anew before the peer was found leaves no end behind", async () => {
  const { bench, client, server, uid, incoming } = await pair();
  const other = await bench.greet("192.0.2.3");
  const otherUid = await other.register();
  const frames = [
    { type: "open", dialog: 2, uid, transportType: "test" },
    { type: "close", dialog: 2 },
    { type: "open", dialog: 2, uid: otherUid, transportType: "test" },
  ] as const;
  await Promise.all(frames.map((frame) => client.say(frame)));
  await client.leave();
  const ended = [server, other].map(({ heard }) => heard.filter(({ type }) => type === "close").length);
  const begun = [server, other].map(({ heard }) => heard.filter(({ type }) => type === "incoming").length);
  assert.ok(incoming < 0);
  assert.deepEqual(ended, [begun[0]! + 1, begun[1]]);
  assert.equal(bench.registrar.gauges().dialogs, 0);
});

test("an unknown uid and another transport are refused as offline", async () => {
  const { client, server, uid } = await pair();
  await client.say({ type: "open", dialog: 2, uid: NOBODY, transportType: "test" });
  await client.say({ type: "open", dialog: 3, uid, transportType: "other" });
  for (const dialog of [2, 3]) {
    assert.deepEqual(client.expect("close"), { type: "close", dialog, code: "offline" });
  }
  assert.deepEqual(server.heard, []);
});

test("a close reaches the other side once and nothing follows it", async () => {
  const { bench, client, server, incoming } = await pair();
  await client.say({ type: "close", dialog: 1 });
  assert.deepEqual(server.expect("close"), { type: "close", dialog: incoming });
  await server.say({ type: "close", dialog: incoming });
  await server.say({ type: "signal", dialog: incoming, body: "1" });
  await client.say({ type: "signal", dialog: 1, body: "1" });
  assert.deepEqual([client.heard, server.heard], [[], []]);
  assert.equal(bench.registrar.gauges().dialogs, 0);
});

test("whoever leaves loses his dialogs, and only those", async () => {
  const { bench, client, server, uid, incoming } = await pair();
  const other = await bench.greet();
  const kept = await dial(other, server, uid);
  await client.leave();
  assert.deepEqual(server.expect("close"), { type: "close", dialog: incoming, code: "lost" });
  await other.say({ type: "signal", dialog: 1, body: "1" });
  assert.equal(server.expect("signal").dialog, kept);
});

test("a client cannot touch the dialogs of another", async () => {
  const { bench, client, server, incoming } = await pair();
  const stranger = await bench.greet();
  for (const dialog of [1, incoming, 0, -2, Number.MAX_SAFE_INTEGER]) {
    await stranger.say({ type: "signal", dialog, body: "1" });
    await stranger.say({ type: "close", dialog });
    await stranger.say({ type: "open", dialog: -Math.abs(dialog), uid: NOBODY, transportType: "test" });
  }
  assert.deepEqual([client.heard, server.heard, stranger.heard], [[], [], []]);
});

test("a number in use cannot be opened again", async () => {
  const { client, server, uid, incoming } = await pair();
  await client.say({ type: "open", dialog: 1, uid, transportType: "test" });
  assert.deepEqual([client.heard, server.heard], [[], []]);
  await client.say({ type: "signal", dialog: 1, body: "1" });
  assert.equal(server.expect("signal").dialog, incoming);
});

test("a body above 16 KiB ends its dialog with a code and the limit", async () => {
  const { client, server, incoming } = await pair();
  const longest = "ü".repeat(8_192);
  await client.say({ type: "signal", dialog: 1, body: longest });
  assert.equal(server.expect("signal").body, longest);
  await client.say({ type: "signal", dialog: 1, body: `${longest}.` });
  const close = client.expect("close");
  assert.equal(close.code, "too-large");
  assert.match(close.text!, /16384 bytes/);
  assert.deepEqual(server.expect("close"), { type: "close", dialog: incoming, code: "too-large" });
});

test("signals beyond the rate end their dialog, and time heals", async () => {
  const { bench, client, server, uid } = await pair(new RegistrarBench({ limits: { signalRate: 5 } }));
  for (let i = 0; i < 5; i++) await client.say({ type: "signal", dialog: 1, body: "1" });
  for (let i = 0; i < 5; i++) server.expect("signal");
  await client.say({ type: "signal", dialog: 1, body: "1" });
  const close = client.expect("close");
  assert.equal(close.code, "too-fast");
  assert.match(close.text!, /at most 5 signals a second/);
  server.expect("close");
  bench.clock.advance(1_000);
  await dial(client, server, uid, 2);
  await client.say({ type: "signal", dialog: 2, body: "1" });
  server.expect("signal");
});

test("dialogs beyond the limits are refused by the limit's name", async () => {
  const many = await pair(new RegistrarBench({ limits: { dialogs: 1 } }));
  await many.client.say({ type: "open", dialog: 2, uid: many.uid, transportType: "test" });
  assert.match(many.client.expect("close").text!, /at most 1 dialogs/);
  const other = await many.bench.greet();
  await other.say({ type: "open", dialog: 1, uid: many.uid, transportType: "test" });
  assert.equal(other.expect("close").code, "too-many");

  const fast = await pair(new RegistrarBench({ limits: { openRate: 1 } }));
  await fast.client.say({ type: "open", dialog: 2, uid: fast.uid, transportType: "test" });
  assert.match(fast.client.expect("close").text!, /at most 1 dialogs opened a second per connection/);

  const crowd = await pair(new RegistrarBench({ limits: { openRatePerAddress: 1 } }));
  const neighbour = await crowd.bench.greet("192.0.2.2");
  await neighbour.say({ type: "open", dialog: 1, uid: crowd.uid, transportType: "test" });
  assert.match(neighbour.expect("close").text!, /per address/);
  const stranger = await crowd.bench.greet("192.0.2.3");
  await dial(stranger, crowd.server, crowd.uid);
});

test("one address cannot take every dialog of a server, and gets its share back", async () => {
  const limits = { dialogs: 4, dialogsPerVisitor: 2 };
  const { bench, client, server, uid, incoming } = await pair(new RegistrarBench({ limits }));
  const accomplice = await bench.greet("192.0.2.2");
  await dial(accomplice, server, uid);
  await accomplice.say({ type: "open", dialog: 2, uid, transportType: "test" });
  assert.equal(accomplice.expect("close").code, "too-many");
  const stranger = await bench.greet("192.0.2.3");
  await dial(stranger, server, uid);
  await server.say({ type: "close", dialog: incoming });
  client.expect("close");
  await dial(client, server, uid, 2);
  await accomplice.leave();
  server.expect("close");
  await dial(client, server, uid, 3);
});

test("connections beyond the limits are cut by the limit's name", async () => {
  const bench = new RegistrarBench({
    limits: { connections: 4, connectionsPerAddress: 2, connectRatePerAddress: 3 },
  });
  const [a, b, c] = [bench.connect("192.0.2.1"), bench.connect("192.0.2.1"), bench.connect("192.0.2.1")];
  assert.deepEqual([a.cut, b.cut], [undefined, undefined]);
  assert.match(c.cut!.reason, /at most 2 connections per address/);
  assert.match(bench.connect("192.0.2.1").cut!.reason, /at most 3 connections a second/);
  bench.connect("2001:db8::1");
  bench.connect("2001:db8::1:0:0:1");
  assert.match(bench.connect("2001:db8:1::1").cut!.reason, /at most 4 connections$/);
  await a.leave();
  assert.match(bench.connect("2001:db8::2").cut!.reason, /per address/);
  assert.equal(bench.connect("2001:db8:1::1").cut, undefined);
});

test("a flood cuts the one who floods", async () => {
  const { bench, server, incoming } = await pair(new RegistrarBench({ limits: { messageRate: 20 } }));
  const flood = await bench.greet();
  for (let i = 0; i < 30; i++) await flood.say({ type: "ping" });
  assert.match(flood.cut!.reason, /at most 20 messages a second/);
  assert.equal(flood.heard.length, 19);
  await server.say({ type: "signal", dialog: incoming, body: "1" });
  assert.equal(server.cut, undefined);
});

test("an open that is given up before it is answered leaves nothing behind", async () => {
  const { bench, client, server, uid } = await pair();
  const opening = client.say({ type: "open", dialog: 2, uid, transportType: "test" });
  await client.say({ type: "close", dialog: 2 });
  await opening;
  const { dialog } = server.expect("incoming");
  assert.deepEqual(server.expect("close"), { type: "close", dialog });
  assert.equal(bench.registrar.gauges().dialogs, 2);
  assert.deepEqual(client.heard, []);
});

test("two registrars that share a directory forward to each other", async () => {
  const directory = new MemoryDirectory();
  const first = await new RegistrarBench({ directory, seed: 1 }).join();
  const second = await new RegistrarBench({ directory, seed: 2 }).join();
  const { server, client, incoming } = await pair(first, second);
  await client.say({ type: "signal", dialog: 1, body: "there" });
  await server.say({ type: "signal", dialog: incoming, body: "back" });
  assert.equal(server.expect("signal").body, "there");
  assert.equal(client.expect("signal").body, "back");
  await client.say({ type: "open", dialog: 2, uid: NOBODY, transportType: "test" });
  assert.equal(client.expect("close").code, "offline");
  await server.leave();
  assert.equal(client.expect("close").code, "lost");
  assert.deepEqual(second.registrar.gauges(), { connections: 1, registrations: 0, dialogs: 0 });
});

test("a registrar of the cluster that dies takes only its own dialogs along", async () => {
  const directory = new MemoryDirectory();
  const first = await new RegistrarBench({ directory, seed: 1 }).join();
  const second = await new RegistrarBench({ directory, seed: 2 }).join();
  const { client, uid } = await pair(first, second);
  const local = await second.greet("192.0.2.9");
  const localUid = await local.register();
  await dial(client, local, localUid, 2);
  await first.crash();
  await client.say({ type: "signal", dialog: 1, body: "1" });
  assert.deepEqual(client.expect("close"), { type: "close", dialog: 1, code: "lost" });
  await client.say({ type: "open", dialog: 3, uid, transportType: "test" });
  assert.equal(client.expect("close").code, "offline");
  await client.say({ type: "signal", dialog: 2, body: "1" });
  local.expect("signal");
});

test("a draining registrar cuts the idle, lets dialogs end and begins nothing", async () => {
  const { bench, client, server, incoming, uid } = await pair();
  const idle = await bench.greet();
  await bench.drain();
  assert.equal(idle.cut?.status, 1012);
  client.expect("draining");
  server.expect("draining");
  await client.say({ type: "signal", dialog: 1, body: "1" });
  assert.equal(server.expect("signal").dialog, incoming);
  await client.say({ type: "open", dialog: 2, uid, transportType: "test" });
  assert.equal(client.expect("close").code, "draining");
  assert.match(bench.connect().cut!.reason, /about to stop/);
});
