import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDirectory } from "../../../signaling/registrar/memory-directory.ts";
import { toBase64Url } from "../../../src/base/bytes.ts";
import { ORIGIN, RegistrarBench } from "./registrar-bench.ts";

const SALT = new Uint8Array(16).fill(5);
const NOBODY = "0123456789abcdef0123456789abcdef";

test("whoever proves a key is found under its uid", async () => {
  const bench = new RegistrarBench();
  const server = await bench.greet();
  const uid = await server.register();
  const client = await bench.greet();
  await client.say({ type: "open", dialog: 1, uid, transportType: "test" });
  client.expect("opened");
  assert.equal(server.expect("incoming").uid, uid);
});

test("a hello tells the address as the registrar sees it", async () => {
  const client = new RegistrarBench().connect("2001:db8::7");
  await client.say({ type: "hello", version: 1 });
  assert.equal(client.expect("hello").address, "2001:db8::7");
});

test("another version and a wrong token are cut with a reason", async () => {
  const bench = new RegistrarBench({ token: "let me in" });
  const [old, bare, wrong, right] = [bench.connect(), bench.connect(), bench.connect(), bench.connect()];
  await old.say({ type: "hello", version: 2 });
  assert.match(old.cut!.reason, /version 1/);
  await bare.say({ type: "hello", version: 1 });
  assert.match(bare.cut!.reason, /token/);
  await wrong.say({ type: "hello", version: 1, token: "let me" });
  assert.match(wrong.cut!.reason, /token/);
  await right.say({ type: "hello", version: 1, token: "let me in" });
  right.expect("hello");
});

test("nothing is done for a connection before its hello", async () => {
  const bench = new RegistrarBench();
  const client = bench.connect();
  await client.say({ type: "challenge", request: 1 });
  assert.equal(client.cut?.status, 1002);
  assert.deepEqual(client.heard, []);
});

test("a connection without hello is cut after 10 s, a silent one after 75 s", async () => {
  const bench = new RegistrarBench();
  const mute = bench.connect();
  const silent = await bench.greet();
  const alive = await bench.greet();
  bench.clock.advance(9_999);
  assert.equal(mute.cut, undefined);
  bench.clock.advance(1);
  assert.match(mute.cut!.reason, /hello/);
  bench.clock.advance(60_000);
  await alive.say({ type: "ping" });
  alive.expect("pong");
  bench.clock.advance(5_000);
  assert.match(silent.cut!.reason, /silent/);
  assert.equal(alive.cut, undefined);
  assert.equal(bench.registrar.gauges().connections, 1);
  bench.clock.advance(75_000);
  assert.equal(bench.clock.armed, 0);
});

test("nobody registers a uid whose key he does not hold", async () => {
  const bench = new RegistrarBench();
  const [server, thief] = [await bench.greet(), await bench.greet()];
  const keyPair = server.newKey();
  const uid = await server.register(keyPair, SALT);
  const own = await thief.prepare(thief.newKey(), SALT);
  await thief.say({ ...own, publicKey: toBase64Url(keyPair.publicKey) });
  assert.equal(thief.expect("refused").code, "unproved");
  await thief.say({ type: "unregister", uid });
  await thief.say({ type: "open", dialog: 1, uid, transportType: "test" });
  thief.expect("opened");
  server.expect("incoming");
  assert.deepEqual(server.heard, []);
});

test("a proof counts once, on its connection, for its request and for 10 s", async () => {
  const bench = new RegistrarBench();
  const [server, thief] = [await bench.greet(), await bench.greet()];
  const keyPair = server.newKey();
  const proof = await server.prepare(keyPair, SALT);
  await server.say(proof);
  server.expect("registered");
  for (const replayer of [server, thief]) {
    await replayer.say(proof);
    assert.equal(replayer.expect("refused").code, "unproved");
    await replayer.prepare(replayer.newKey(), SALT);
    await replayer.say(proof);
    assert.equal(replayer.expect("refused").code, "unproved");
  }
  const late = await server.prepare(keyPair, SALT);
  bench.clock.advance(10_000);
  await server.say(late);
  assert.match(server.expect("refused").text!, /expired/);
});

test("every part of a registration is proved", async () => {
  const bench = new RegistrarBench();
  const server = await bench.greet();
  const other = toBase64Url(new Uint8Array(16).fill(1));
  const changes = [
    { salt: other },
    { nonce: other },
    { proof: toBase64Url(new Uint8Array(32)) },
    { publicKey: toBase64Url(new Uint8Array(32)) },
  ];
  for (const change of changes) {
    const message = await server.prepare(server.newKey(), SALT);
    await server.say({ ...message, ...change });
    assert.equal(server.expect("refused").code, "unproved", JSON.stringify(change));
  }
});

test("a forging registrar cannot pass a proof on to the real one", async () => {
  const bench = new RegistrarBench();
  const relay = await bench.greet();
  const victim = relay.newKey();
  const relayed = await relay.prepare(victim, SALT, 1, "ws://evil.test");
  await relay.say(relayed);
  const refused = relay.expect("refused");
  assert.equal(refused.code, "unproved");
  assert.match(refused.text!, /ws:\/\/evil\.test/);
  await relay.say({ ...(await relay.prepare(victim, SALT, 1, "ws://evil.test")), origin: ORIGIN });
  assert.equal(relay.expect("refused").text, "the proof is wrong");
});

test("a newer registration replaces the older, whose end does it no harm", async () => {
  const bench = new RegistrarBench();
  const [older, newer, client] = [await bench.greet(), await bench.greet(), await bench.greet()];
  const keyPair = older.newKey();
  const uid = await older.register(keyPair, SALT);
  assert.equal(await newer.register(keyPair, SALT), uid);
  assert.equal(older.expect("replaced").uid, uid);
  await older.say({ type: "unregister", uid });
  await older.leave();
  await client.say({ type: "open", dialog: 1, uid, transportType: "test" });
  client.expect("opened");
  newer.expect("incoming");
  assert.deepEqual(bench.registrar.gauges(), { connections: 2, registrations: 1, dialogs: 2 });
});

test("registering a uid again on the same connection changes its transport only", async () => {
  const bench = new RegistrarBench();
  const server = await bench.greet();
  const keyPair = server.newKey();
  const uid = await server.register(keyPair, SALT);
  await server.say({ ...(await server.prepare(keyPair, SALT)), transportType: "other" });
  assert.equal(server.expect("registered").uid, uid);
  const client = await bench.greet();
  await client.say({ type: "open", dialog: 1, uid, transportType: "other" });
  client.expect("opened");
});

test("a newer registration at another registrar of the cluster replaces the older", async () => {
  const directory = new MemoryDirectory();
  const first = await new RegistrarBench({ directory, seed: 1 }).join();
  const second = await new RegistrarBench({ directory, seed: 2 }).join();
  const [older, newer] = [await first.greet(), await second.greet()];
  const keyPair = older.newKey();
  const uid = await older.register(keyPair, SALT);
  assert.equal(await newer.register(keyPair, SALT), uid);
  assert.equal(older.expect("replaced").uid, uid);
  assert.equal(first.registrar.gauges().registrations, 0);
});

test("registrations beyond the limits are refused by the limit's name", async () => {
  const bench = new RegistrarBench({ limits: { registrations: 2, registerRate: 3 } });
  const server = await bench.greet();
  await server.register();
  await server.say({ type: "challenge", request: 7 });
  server.expect("challenge");
  await server.say({ type: "challenge", request: 8 });
  const tooMany = server.expect("refused");
  assert.deepEqual([tooMany.request, tooMany.code], [8, "too-many"]);
  assert.match(tooMany.text!, /at most 2 registrations/);
  bench.clock.advance(10_000);
  await server.say({ type: "challenge", request: 9 });
  server.expect("challenge");
  const fast = new RegistrarBench({ limits: { registerRate: 2 } });
  const client = await fast.greet();
  for (const request of [1, 2]) await client.say({ type: "challenge", request });
  client.expect("challenge");
  client.expect("challenge");
  await client.say({ type: "challenge", request: 3 });
  assert.match(client.expect("refused").text!, /at most 2 registrations a second/);
  fast.clock.advance(1_000);
  await client.register();
});

test("a directory that fails is told to the clients that need it", async () => {
  const directory = new MemoryDirectory();
  const bench = new RegistrarBench({ directory });
  const client = await bench.greet();
  const uid = await client.register();
  const broken = async (): Promise<never> => {
    throw new Error("the directory is away");
  };
  Object.assign(directory, { claim: broken, locate: broken, deliver: broken });
  await client.say(await client.prepare(client.newKey(), SALT));
  assert.equal(client.expect("refused").code, "unavailable");
  await client.say({ type: "open", dialog: 1, uid, transportType: "test" });
  assert.equal(client.expect("close").code, "unavailable");
  await client.say({ type: "open", dialog: 2, uid: NOBODY, transportType: "test" });
  assert.equal(client.expect("close").code, "unavailable");
});
