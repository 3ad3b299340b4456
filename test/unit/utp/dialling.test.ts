import assert from "node:assert/strict";
import test from "node:test";
import type { Random } from "../../../src/contract/runtime.ts";
import { DATA, FIN, METADATA, RESET, STATE, SYN } from "../../../src/utp/packet.ts";
import { PEER, ScriptedPeer } from "./scripted-peer.ts";

/** Our handshake extension: flags and a number. */
function handshake(flags: number, value: number): readonly [number, Uint8Array] {
  return [0x70, Uint8Array.of(flags, value >> 8, value & 0xff)];
}

test("a SYN carries the id of packets to us, and nothing libutp would choke on comes first", () => {
  const peer = new ScriptedPeer();
  peer.endpoint.connect(PEER);
  const syn = peer.sentOne();
  assert.equal(syn.type, SYN);
  assert.equal(syn.raw.data[1], METADATA);
  assert.equal(syn.raw.metaLength, 8);
  assert.deepEqual(syn.handshake, [0, 0]);
});

test("without extensions a SYN is a bare header", () => {
  const peer = new ScriptedPeer();
  peer.endpoint.connect(PEER, { extensions: false, data: Buffer.from("later") });
  assert.equal(peer.sentOne().size, 20);
});

test("a SYN is sent again until the dial times out, plainly in the end, and then it is called off", () => {
  const peer = new ScriptedPeer();
  peer.endpoint.connect(PEER, { connectTimeout: 5000 });
  peer.advance(6000);
  const sent = peer.sent();
  assert.deepEqual(
    sent.map(({ type }) => type),
    [SYN, SYN, SYN, SYN, SYN, SYN, RESET],
  );
  assert.deepEqual(
    sent.slice(0, 6).map(({ size }) => size),
    [35, 35, 35, 20, 20, 20],
  );
  assert.equal(new Set(sent.slice(0, 6).map(({ seq }) => seq)).size, 1);
  assert.equal(peer.error, "ETIMEDOUT");
  assert.equal(peer.endpoint.size, 0);
});

test("where somebody answers by now, the SYN leaves at once, and twice as often after that", () => {
  const peer = new ScriptedPeer();
  peer.endpoint.connect(PEER, { connectTimeout: 5000 });
  peer.advance(100);
  assert.equal(peer.sent().length, 1);
  peer.endpoint.hurry(PEER);
  const counts = [];
  for (let i = 0; i < 4; i++) {
    peer.advance(i === 0 ? 0 : 1000);
    counts.push(peer.sent().length);
  }
  assert.deepEqual(counts, [1, 2, 2, 2]);
});

test("the first DATA of a libutp server has the number of the STATE that accepted", () => {
  const peer = new ScriptedPeer();
  const { connection, id, seq, peerSeq } = peer.dialled();
  peer.send({ type: DATA, id, seq: peerSeq, ack: seq - 1, window: 1000, payload: "hi" });
  assert.equal(Buffer.from(connection.read()!).toString(), "hi");
  assert.equal(peer.sentOne().ack, peerSeq);
});

test("the accepting STATE is answered at once, so that a server may speak first", () => {
  const peer = new ScriptedPeer();
  peer.endpoint.connect(PEER);
  const syn = peer.sentOne();
  peer.send({ type: STATE, id: syn.id, seq: 700, ack: syn.seq, window: 5000 });
  const answer = peer.sentOne();
  assert.deepEqual([answer.type, answer.id, answer.ack], [STATE, syn.id + 1, 699]);
  assert.deepEqual(peer.said, ["connected"]);
});

test("a dial never takes connection id 65535, which libutp does not answer, but 65534 works", () => {
  const draws = [65_535, 65_535, 65_534];
  const random: Random = {
    fill: (bytes) => {
      const next = draws.shift() ?? 7;
      bytes.set([next >> 8, next & 0xff]);
      return bytes;
    },
  };
  const peer = new ScriptedPeer({ random });
  const connection = peer.endpoint.connect(PEER);
  const syn = peer.sentOne();
  assert.equal(syn.id, 65_534);
  peer.send({ type: STATE, id: 65_534, seq: 1, ack: syn.seq, window: 5000 });
  connection.write(Buffer.from("x"));
  const [, data] = peer.sent();
  assert.deepEqual([data!.type, data!.id, data!.seq], [DATA, 65_535, (syn.seq + 1) & 0xffff]);
});

test("what does not answer our SYN connects nothing", () => {
  const peer = new ScriptedPeer();
  peer.endpoint.connect(PEER);
  const { id, seq } = peer.sentOne();
  peer.send({ type: STATE, id, seq: 1, ack: seq + 1, window: 5000 });
  peer.send({ type: DATA, id, seq: 1, ack: seq, window: 5000 });
  peer.send({ type: STATE, id: id + 2, seq: 1, ack: seq, window: 5000 });
  assert.deepEqual(peer.said, []);
  assert.equal(peer.drops("no-answer"), 2);
});

test("a RESET refuses a dial if it names our SYN, and is a guess otherwise", () => {
  const peer = new ScriptedPeer();
  peer.endpoint.connect(PEER);
  const { id, seq } = peer.sentOne();
  peer.send({ type: RESET, id, ack: seq + 1 });
  assert.deepEqual([peer.said, peer.drops("reset-guess")], [[], 1]);
  peer.send({ type: RESET, id, ack: seq });
  assert.equal(peer.error, "ECONNREFUSED");
  assert.deepEqual(peer.sent(), []);
});

test("a first flight rides in the SYN, padded to 1200 bytes if asked for", () => {
  for (const [pad, size] of [
    [true, 1200],
    [false, 40],
  ] as const) {
    const peer = new ScriptedPeer();
    peer.endpoint.connect(PEER, { data: Buffer.from("hello"), pad });
    const syn = peer.sentOne();
    assert.equal(syn.size, size);
    assert.deepEqual(syn.handshake, [0, 5]);
    assert.equal(syn.payload.subarray(0, 5).toString(), "hello");
  }
});

test("a first flight that the peer took is not sent again", () => {
  const peer = new ScriptedPeer();
  const connection = peer.endpoint.connect(PEER, { data: Buffer.from("hello") });
  const { id, seq } = peer.sentOne();
  peer.send({ type: STATE, id, seq: 9, ack: seq, window: 5000, extensions: [handshake(1, 9)] });
  assert.equal(connection.firstFlightAccepted, true);
  connection.write(Buffer.from(" world"));
  const [proof, data] = peer.sent();
  assert.equal(proof!.type, STATE);
  assert.equal(data!.payload.toString(), " world");
  assert.equal(data!.seq, (seq + 1) & 0xffff);
});

test("a first flight that libutp ignored is sent as DATA", () => {
  const peer = new ScriptedPeer();
  const connection = peer.endpoint.connect(PEER, { data: Buffer.from("hello") });
  const { id, seq } = peer.sentOne();
  peer.send({ type: STATE, id, seq: 9, ack: seq, window: 5000 });
  assert.equal(connection.firstFlightAccepted, false);
  const data = peer.sentOne();
  assert.deepEqual([data.type, data.payload.toString()], [DATA, "hello"]);
});

test("a server's DATA connects too when its STATE was lost, and is kept", () => {
  const peer = new ScriptedPeer();
  const connection = peer.endpoint.connect(PEER, { data: Buffer.from("hello") });
  const { id, seq } = peer.sentOne();
  const extensions = [handshake(1, 50)];
  peer.send({ type: DATA, id, seq: 51, ack: seq, window: 5000, extensions, payload: "second" });
  assert.deepEqual(peer.said, ["connected"]);
  assert.equal(connection.read(), undefined);
  peer.send({ type: DATA, id, seq: 50, ack: seq, window: 5000, extensions, payload: "first " });
  assert.equal(Buffer.from(connection.read()!).toString(), "first second");
});

test("our proof is repeated until it is confirmed, since nothing else repairs its loss", () => {
  const peer = new ScriptedPeer();
  peer.endpoint.connect(PEER);
  const { id, seq } = peer.sentOne();
  peer.send({ type: STATE, id, seq: 9, ack: seq, window: 5000, extensions: [handshake(0, 9)] });
  assert.deepEqual(peer.sentOne().handshake, [4, seq]);
  peer.advance(1000);
  assert.ok(peer.sent().length >= 2);
  peer.send({ type: STATE, id, seq: 9, ack: seq, window: 5000, extensions: [handshake(2, 9)] });
  peer.sent();
  peer.advance(5000);
  assert.deepEqual(peer.sent(), []);
});

test("a dial that is aborted is called off at the peer too", () => {
  const peer = new ScriptedPeer();
  const connection = peer.endpoint.connect(PEER);
  const { seq } = peer.sentOne();
  connection.abort();
  const reset = peer.sentOne();
  assert.deepEqual([reset.type, reset.seq], [RESET, (seq + 1) & 0xffff]);
  assert.deepEqual(peer.said, ["closed"]);
  assert.equal(peer.error, undefined);
});

test("an end without data reaches the peer, and the connection closes when it ends as well", () => {
  const peer = new ScriptedPeer();
  const { connection, id, seq, peerSeq } = peer.dialled();
  connection.end();
  const fin = peer.sentOne();
  assert.deepEqual([fin.type, fin.seq], [FIN, seq]);
  peer.send({ type: STATE, id, seq: peerSeq, ack: seq, window: 5000 });
  assert.deepEqual(peer.said, ["connected", "finished"]);
  peer.send({ type: FIN, id, seq: peerSeq, ack: seq, window: 5000 });
  assert.deepEqual(peer.said, ["connected", "finished", "end", "closed"]);
  assert.equal(peer.sentOne().ack, peerSeq);
  peer.send({ type: FIN, id, seq: peerSeq, ack: seq, window: 5000 });
  assert.deepEqual([peer.sentOne().ack, peer.endpoint.size], [peerSeq, 0]);
});

test("dialling what is no IP literal throws", () => {
  const peer = new ScriptedPeer();
  assert.throws(() => peer.endpoint.connect({ address: "example.org", port: 1 }), {
    code: "ERR_INVALID_ARG_VALUE",
  });
});

test("dials to one address never have neighbouring ids, since one endpoint may be both ends", () => {
  const peer = new ScriptedPeer();
  const ids = Array.from({ length: 2000 }, () => peer.endpoint.connect(PEER).receiveId).sort((a, b) => a - b);
  for (const [i, id] of ids.entries()) assert.ok(i === 0 || id - ids[i - 1]! > 1);
});

test("our proof to a peer without our extension is repeated as data it has, until it is heard, and not for ever", () => {
  const peer = new ScriptedPeer();
  peer.endpoint.connect(PEER, { extensions: false, keepAlive: false });
  const { id, seq } = peer.sentOne();
  peer.send({ type: STATE, id, seq: 50, ack: seq, window: 5000 });
  const [proof] = peer.sent();
  assert.deepEqual([proof!.type, proof!.ack], [STATE, 49]);
  peer.send({ type: STATE, id, seq: 50, ack: seq, window: 5000 });
  peer.advance(1000);
  const [again] = peer.sent();
  assert.deepEqual([again!.type, again!.seq, again!.ack, again!.size], [DATA, seq, 49, 20]);
  peer.advance(600_000);
  assert.ok(peer.sent().length < 8);
  peer.send({ type: STATE, id, seq: 50, ack: seq, window: 5000 });
  peer.advance(600_000);
  assert.deepEqual(peer.sent(), []);
});

test("our proof to a peer without our extension is not repeated once it is heard", () => {
  const peer = new ScriptedPeer();
  const { connection } = peer.dialled();
  peer.advance(600_000);
  assert.deepEqual(peer.sent(), []);
  assert.equal(connection.state, "connected");
});
