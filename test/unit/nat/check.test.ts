import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../../src/base/random.ts";
import { askedUser, CheckCodec, makeIdentity, makeTransactionId } from "../../../src/nat/check.ts";
import { nodeCrypto as crypto } from "../../../src/platform/node-crypto.ts";
import { XOR_MAPPED_ADDRESS } from "../../../src/stun/addresses.ts";
import { decodeMessage, type ReceivedMessage } from "../../../src/stun/message.ts";

const random = seededRandom(1);
const FROM = { address: "5.0.0.1", port: 4000 };

function pair(): [CheckCodec, CheckCodec] {
  const [a, b] = [makeIdentity(random), makeIdentity(random)];
  const codecs: [CheckCodec, CheckCodec] = [new CheckCodec(crypto, a), new CheckCodec(crypto, b)];
  codecs[0].meet(b);
  codecs[1].meet(a);
  return codecs;
}

function decode(bytes: Uint8Array): ReceivedMessage {
  const message = decodeMessage(bytes);
  assert.ok(typeof message !== "string");
  return message;
}

test("a check has 88 bytes and its answer no more, so that nothing is amplified", () => {
  const [a, b] = pair();
  const request = a.request(makeTransactionId(random))!;
  assert.equal(request.length, 88);
  assert.equal(b.response(decode(request), FROM).length, 76);
  assert.equal(b.response(decode(request), { address: "2a00::1", port: 1 }).length, 88);
});

test("each side knows the other's checks and answers", () => {
  const [a, b] = pair();
  const request = decode(a.request(makeTransactionId(random))!);
  assert.equal(askedUser(request), b.local.user);
  assert.equal(b.requestFault(request), undefined);
  const response = decode(b.response(request, FROM));
  assert.equal(a.isAuthentic(response), true);
  assert.deepEqual(XOR_MAPPED_ADDRESS.in(response), FROM);
  assert.deepEqual(response.transactionId, request.transactionId);
});

test("who does not know the passwords is forged, who asks for somebody else is a stranger", () => {
  const [a, b] = pair();
  const [c] = pair();
  const request = decode(a.request(makeTransactionId(random))!);
  assert.equal(a.requestFault(request), "stranger");
  assert.equal(c.requestFault(request), "stranger");
  const forger = new CheckCodec(crypto, a.local);
  forger.meet({ ...b.local, password: makeIdentity(random).password });
  assert.equal(b.requestFault(decode(forger.request(makeTransactionId(random))!)), "forged");
  const impostor = new CheckCodec(crypto, { ...a.local, user: "somebody" });
  impostor.meet(b.local);
  assert.equal(b.requestFault(decode(impostor.request(makeTransactionId(random))!)), "stranger");
  assert.equal(a.isAuthentic(decode(c.response(request, FROM))), false);
});

test("before the other side is known checks can be judged and not made", () => {
  const [a] = pair();
  const early = new CheckCodec(crypto, makeIdentity(random));
  const peer = new CheckCodec(crypto, a.local);
  peer.meet(early.local);
  assert.deepEqual([early.complete, early.request(makeTransactionId(random))], [false, undefined]);
  assert.equal(early.requestFault(decode(peer.request(makeTransactionId(random))!)), undefined);
});

test("the first identity counts, whatever the peer says later", () => {
  const [a, b] = pair();
  b.meet(makeIdentity(random));
  assert.equal(b.remotePassword, a.local.password);
});
