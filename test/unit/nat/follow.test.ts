import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../../src/base/random.ts";
import { CheckCodec, makeIdentity, makeTransactionId } from "../../../src/nat/check.ts";
import { Follow } from "../../../src/nat/follow.ts";
import { nodeCrypto as crypto } from "../../../src/platform/node-crypto.ts";

const HERE = { address: "5.0.0.1", port: 1 };
const OLD = { address: "5.0.0.2", port: 2 };
const NEW = { address: "5.0.0.2", port: 3 };

/** The side that follows, and the codec of the peer it follows. */
function scene(): { follow: Follow; peer: CheckCodec } {
  const random = seededRandom(1);
  const own = new CheckCodec(crypto, makeIdentity(random));
  const peer = new CheckCodec(crypto, makeIdentity(random));
  own.meet(peer.local);
  peer.meet(own.local);
  return { follow: new Follow(own, random, OLD), peer };
}

/** The peer, at NEW, answers a check. */
function answer(follow: Follow, peer: CheckCodec, check: Uint8Array): void {
  const theirs = new Follow(peer, seededRandom(2), HERE);
  theirs.handleDatagram({ data: check, remote: HERE }, 0);
  const out = theirs.pollTransmit();
  assert.ok(out, "an authentic check is answered");
  follow.handleDatagram({ data: out.data, remote: NEW }, 0);
}

test("a peer that answers from a new address is followed there", () => {
  const { follow, peer } = scene();
  follow.suspect(NEW, 0);
  const check = follow.pollTransmit();
  assert.deepEqual(check?.remote, NEW);
  answer(follow, peer, check.data);
  assert.deepEqual(follow.pollEvent(), { remote: NEW });
  assert.equal(follow.pollTimeout(), undefined);
  follow.suspect(NEW, 0);
  assert.equal(follow.pollTransmit(), undefined, "it is there, so nothing is suspicious");
});

test("an address that does not answer gets three checks, and then a second's rest", () => {
  const { follow } = scene();
  const sentAt: number[] = [];
  for (let now = 0; now <= 3000; now += 50) {
    follow.suspect(NEW, now);
    follow.handleTimeout(now);
    while (follow.pollTransmit()) sentAt.push(now);
  }
  assert.deepEqual(sentAt, [0, 200, 600, 2000, 2200, 2600]);
  assert.equal(follow.pollEvent(), undefined);
});

test("an answer from elsewhere, a forged one and an old one move nothing", () => {
  const { follow, peer } = scene();
  const answerTo = (check: Uint8Array, codec: CheckCodec): Uint8Array => {
    const theirs = new Follow(codec, seededRandom(2), HERE);
    theirs.handleDatagram({ data: check, remote: HERE }, 0);
    return theirs.pollTransmit()!.data;
  };
  follow.suspect(NEW, 0);
  const check = follow.pollTransmit()!.data;
  const right = answerTo(check, peer);
  follow.handleDatagram({ data: right, remote: { ...NEW, port: 9 } }, 0);
  const forged = new Uint8Array(right);
  forged[40]! ^= 1;
  follow.handleDatagram({ data: forged, remote: NEW }, 0);
  assert.equal(follow.pollEvent(), undefined);
  assert.equal(follow.drops.get("elsewhere"), 1);
  follow.handleDatagram({ data: right, remote: NEW }, 0);
  assert.deepEqual(follow.pollEvent(), { remote: NEW });
  assert.equal(follow.handleDatagram({ data: right, remote: NEW }, 0), false, "nobody's answer any more");
});

test("checks of strangers are not answered, the peer's twenty times a second", () => {
  const { follow, peer } = scene();
  const random = seededRandom(3);
  const stranger = new CheckCodec(crypto, makeIdentity(random));
  stranger.meet(makeIdentity(random));
  follow.handleDatagram({ data: stranger.request(makeTransactionId(random))!, remote: NEW }, 0);
  assert.equal(follow.pollTransmit(), undefined);
  let answers = 0;
  for (let i = 0; i < 100; i++) {
    follow.handleDatagram({ data: peer.request(makeTransactionId(random))!, remote: NEW }, 0);
    if (follow.pollTransmit()) answers++;
  }
  assert.equal(answers, 20);
});

test("a punch that was done anew moves it without a question", () => {
  const { follow } = scene();
  follow.suspect({ address: "5.0.0.9", port: 9 }, 0);
  follow.moved(NEW);
  assert.equal(follow.pollTimeout(), undefined);
  while (follow.pollTransmit());
  follow.suspect(NEW, 0);
  assert.equal(follow.pollTransmit(), undefined);
});
