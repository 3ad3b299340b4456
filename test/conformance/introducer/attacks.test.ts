import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createIdentity } from "1tp";
import { encodeBegin, encodeEnd } from "../../../signaling/introducer/wire.ts";
import { toBase64Url } from "../../../src/base/bytes.ts";
import { codeOf } from "../../../src/base/errors.ts";
import { seededRandom } from "../../../src/base/random.ts";
import type { SignalingAddress } from "../../../src/contract/dialog.ts";
import type { JsonObject } from "../../../src/contract/endpoint.ts";
import { assertNothingLeft } from "../../kit/leaks.ts";
import { House, type Peer, Stranger } from "./house.ts";

/** Two honest peers with a dialog that goes on whatever the others do. */
class Witnesses {
  readonly server: Peer;
  readonly client: Peer;
  readonly address: SignalingAddress;

  private constructor(server: Peer, client: Peer, address: SignalingAddress) {
    this.server = server;
    this.client = client;
    this.address = address;
  }

  static async invite(house: House): Promise<Witnesses> {
    const [server, client] = [await house.peer(), await house.peer()];
    return new Witnesses(server, client, await server.register());
  }

  /** Their connections, their registration and a fresh dialog between them are as they should be. */
  async areWell(): Promise<void> {
    await Promise.all([this.server.echo(), this.client.echo()]);
    const near = await this.client.open(this.address);
    await near.dialog.send("are you there?");
    near.dialog.close();
    assert.equal(await near.closed(), undefined);
    assert.deepEqual(this.server.losses, []);
  }
}

function attack(what: string, body: (house: House, witnesses: Witnesses) => Promise<void>): void {
  test(`nobody else notices ${what}`, { timeout: 60_000 }, () =>
    assertNothingLeft(async () => {
      const house = await House.open();
      try {
        const witnesses = await Witnesses.invite(house);
        await body(house, witnesses);
        await witnesses.areWell();
      } finally {
        await house.close();
      }
    }),
  );
}

/** The connection itself still does what it is for. */
async function echoes({ socket }: Stranger): Promise<void> {
  let heard = "";
  socket.on("data", (chunk: Buffer) => {
    heard += chunk;
  });
  socket.write("still here");
  while (heard !== "still here") await setImmediate();
}

const salt = toBase64Url(new Uint8Array(16));

attack("a guest that claims a uid that is not its own", async (house, { server, address }) => {
  const stranger = await new Stranger(await house.socket()).enter();
  await stranger.say({ type: "enrol", request: 1, salt, transportType: "test" });
  const { uid } = await stranger.hears("registered");
  assert.notEqual(uid, address.uid);
  // With the registrar's own proof, for the key of somebody else.
  await stranger.say({ type: "challenge", request: 2 });
  await stranger.hears("challenge");
  const proof = {
    publicKey: server.identity.publicKey,
    salt,
    nonce: salt,
    origin: "ws://127.0.0.1",
    proof: toBase64Url(new Uint8Array(32)),
  };
  await stranger.say({ type: "register", request: 2, transportType: "test", ...proof });
  assert.equal((await stranger.hears("refused")).code, "unproved");
  await stranger.say({ type: "unregister", uid: address.uid });
  await echoes(stranger);
});

attack("a guest that enrols again and again", async (house) => {
  const stranger = await new Stranger(await house.socket()).enter();
  for (let request = 0; request < 65; request++) {
    const mine = toBase64Url(new Uint8Array(16).fill(request));
    await stranger.say({ type: "enrol", request, salt: mine, transportType: "test" });
  }
  const { code } = await stranger.hears("refused");
  assert.ok(code === "too-many" || code === "too-fast", String(code));
  await echoes(stranger);
});

attack("a guest that opens dialogs until it may not, and leaves them", async (house, { address }) => {
  const stranger = await new Stranger(await house.socket()).enter();
  for (let dialog = 1; dialog <= 200; dialog++) {
    await stranger.say({ type: "open", dialog, uid: address.uid, transportType: "test" });
  }
  const { code } = await stranger.hears("close");
  assert.ok(code === "too-many" || code === "too-fast", String(code));
  // Those that were opened go with the visit.
  await stranger.send(encodeEnd(0, 1000, ""));
  await echoes(stranger);
});

attack("a guest whose words make no sense", async (house) => {
  const random = seededRandom(1);
  const nonsense = [
    "",
    "{",
    "null",
    "[]",
    '{"type":5}',
    '{"type":"open"}',
    '{"type":"signal","dialog":1}',
    "\n\n",
  ];
  for (const words of nonsense) {
    const stranger = await new Stranger(await house.socket()).enter();
    await stranger.say(words);
    assert.equal((await stranger.hears("end")).status, 1002);
    await echoes(stranger);
  }
  const stranger = new Stranger(await house.socket());
  for (let i = 0; i < 500; i++) await stranger.send(random.fill(new Uint8Array(random.integer(64))));
  await echoes(stranger);
  await stranger.send(encodeBegin(9));
  await stranger.say({ type: "hello", version: 1 }, 9);
  await stranger.hears("hello");
});

attack("a guest that begins anew all the time", async (house) => {
  const stranger = new Stranger(await house.socket());
  for (let i = 0; i < 1_000; i++) await stranger.send(encodeBegin(i & 0xff));
  assert.equal((await stranger.hears("end")).status, 1013);
  await echoes(stranger);
});

attack("a flood of signals, which costs its dialog and no more", async (house, { address, server }) => {
  const flooder = await house.peer();
  const other = await flooder.open((await (await house.peer()).register()) as SignalingAddress);
  const near = await flooder.open(address);
  const far = await server.accepted();
  const sent: Promise<unknown>[] = [];
  for (let i = 0; i < 1_000 && near.closes.length === 0; i++) {
    sent.push(near.dialog.send("x".repeat(100)).catch((error) => assert.ok(codeOf(error))));
    if (i % 50 === 49) await setImmediate();
  }
  await Promise.all(sent);
  const codes = [await near.closed(), await far.closed()].map(codeOf);
  assert.deepEqual(codes, ["ERR_1TP_SIGNALING_LIMIT", "ERR_1TP_SIGNALING_LIMIT"]);
  assert.deepEqual(other.closes, []);
  await flooder.echo();
});

attack("a flood of anything, which costs the guest its visit and not its connection", async (house) => {
  const stranger = await new Stranger(await house.socket()).enter();
  for (let i = 0; i < 3_000; i++) await stranger.say({ type: "ping" });
  assert.equal((await stranger.hears("end")).status, 1008);
  await echoes(stranger);
  stranger.heard.length = 0;
  await stranger.enter(1);
});

attack("a body that is too long, which costs its dialog", async (house, { address, server }) => {
  const stranger = await new Stranger(await house.socket()).enter();
  await stranger.say({ type: "open", dialog: 1, uid: address.uid, transportType: "test" });
  await stranger.hears("opened");
  await stranger.say(`{"type":"signal","dialog":1}\n${JSON.stringify("x".repeat(16_383))}`);
  assert.equal((await stranger.hears("close")).code, "too-large");
  assert.equal(codeOf(await (await server.accepted()).closed()), "ERR_1TP_SIGNALING_LIMIT");
});

attack("signals for dialogs of others", async (house, { address, client, server }) => {
  const near = await client.open(address);
  const far = await server.accepted();
  const stranger = await new Stranger(await house.socket()).enter();
  for (let dialog = -5; dialog <= 5; dialog++) {
    await stranger.say(`{"type":"signal","dialog":${dialog}}\n"forged"`);
    await stranger.say({ type: "close", dialog });
  }
  await stranger.say({ type: "ping" });
  await stranger.hears("pong");
  await near.dialog.send("genuine");
  assert.deepEqual(await far.received(1), ["genuine"]);
});

attack("a peer that never answers", async (house) => {
  const [silent, client] = [await new Stranger(await house.socket()).enter(), await house.peer()];
  await silent.say({ type: "enrol", request: 1, salt, transportType: "test" });
  const { uid } = (await silent.hears("registered")) as JsonObject & { uid: string };
  const { publicKey } = house.server.address()![0]!;
  const near = await client.open({ type: "introducer-signaling", uid, introducer: publicKey! });
  await near.dialog.send("anybody there?");
  near.dialog.close();
  assert.equal(await near.closed(), undefined);
});

test("who may not come in is not introduced", async () => {
  const [friend, enemy] = [createIdentity(), createIdentity()];
  const house = await House.open({ allowedPeers: [friend.publicKey] });
  try {
    await (await house.peer(friend)).register();
    await assert.rejects(house.peer(enemy), { code: "ERR_1TP_PEER_REFUSED" });
  } finally {
    await house.close();
  }
});
