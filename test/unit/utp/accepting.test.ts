import assert from "node:assert/strict";
import test from "node:test";
import { DATA, FIN, RESET, STATE, SYN } from "../../../src/utp/packet.ts";
import { encode, ScriptedPeer, type ScriptPacket } from "./scripted-peer.ts";

/** What our own dialler puts behind the header of its SYN. */
function extended(dataLength: number): NonNullable<ScriptPacket["extensions"]> {
  return [
    [2, new Uint8Array(8)],
    [0x70, Uint8Array.of(0, dataLength >> 8, dataLength & 0xff)],
  ];
}

function listening(): ScriptedPeer {
  const peer = new ScriptedPeer();
  peer.endpoint.listen({ keepAlive: false });
  return peer;
}

/** Lets the scripted peer dial as libutp does; returns the number of the accepting STATE. */
function dial(peer: ScriptedPeer, id = 300, seq = 40): number {
  peer.send({ type: SYN, id, seq, window: 50_000 });
  const answer = peer.sentOne();
  assert.deepEqual([answer.type, answer.id, answer.ack], [STATE, id, seq]);
  return answer.seq;
}

test("a SYN is answered with a STATE, and is no connection before its sender has proved its address", () => {
  const peer = listening();
  dial(peer);
  assert.deepEqual([peer.said, peer.endpoint.size], [[], 0]);
});

test("a libutp dialler is accepted with its first DATA", () => {
  const peer = listening();
  const first = dial(peer);
  peer.send({ type: DATA, id: 301, seq: 41, ack: first - 1, window: 50_000, payload: "hello" });
  assert.deepEqual(peer.said, ["accepted", "readable"]);
  const { connection } = peer.events[0]!;
  assert.equal(Buffer.from(connection.read()!).toString(), "hello");
  assert.deepEqual([connection.validated, connection.initiated], [true, false]);
  connection.write(Buffer.from("hi"));
  const [ack, data] = peer.sent();
  assert.equal(ack!.ack, 41);
  assert.deepEqual([data!.type, data!.id, data!.seq], [DATA, 300, first]);
});

test("a dialler that sends nothing but an end is accepted, and its end is told", () => {
  const peer = listening();
  const first = dial(peer);
  peer.send({ type: FIN, id: 301, seq: 41, ack: first - 1, window: 50_000 });
  assert.deepEqual(peer.said, ["accepted", "end"]);
});

test("the answer to a SYN is given again, however often it is lost", () => {
  const peer = listening();
  const first = dial(peer);
  assert.equal(dial(peer), first);
  peer.advance(3000);
  assert.equal(dial(peer), first);
});

test("a SYN id of 65535 is accepted", () => {
  const peer = listening();
  const first = dial(peer, 65535);
  peer.send({ type: DATA, id: 0, seq: 41, ack: first - 1, window: 50_000, payload: "x" });
  assert.deepEqual(peer.said, ["accepted", "readable"]);
});

test("who does not acknowledge our number is refused", () => {
  const peer = listening();
  const first = dial(peer);
  peer.send({ type: DATA, id: 301, seq: 41, ack: first, window: 50_000, payload: "guess" });
  assert.deepEqual(peer.said, []);
  assert.equal(peer.sentOne().type, RESET);
});

test("a half-open dial is forgotten after ten seconds", () => {
  const peer = listening();
  const first = dial(peer);
  peer.advance(10_001);
  peer.send({ type: DATA, id: 301, seq: 41, ack: first - 1, window: 50_000, payload: "late" });
  assert.deepEqual(peer.said, []);
});

test("a half-open dial is called off by a RESET with its dialler's number alone", () => {
  const peer = listening();
  const first = dial(peer);
  peer.send({ type: RESET, id: 301, seq: 42 });
  peer.send({ type: RESET, id: 301, seq: 41 });
  peer.send({ type: DATA, id: 301, seq: 41, ack: first - 1, window: 50_000, payload: "?" });
  assert.deepEqual(peer.said, []);
});

test("a first flight is accepted with the SYN, and the answer says so", () => {
  const peer = listening();
  peer.send({
    type: SYN,
    id: 300,
    seq: 40,
    window: 9000,
    extensions: extended(5),
    payload: "hello, padding",
  });
  assert.deepEqual(peer.said, ["accepted", "readable"]);
  const { connection } = peer.events[0]!;
  assert.equal(connection.validated, false);
  assert.equal(Buffer.from(connection.read()!).toString(), "hello");
  const answer = peer.sentOne();
  assert.deepEqual([answer.type, answer.ack, answer.handshake], [STATE, 40, [1, answer.seq]]);
});

test("data in a SYN without our extension is data, with its metadata", () => {
  const peer = listening();
  const extensions = [[2, Buffer.from("meta")]] as const;
  peer.send({ type: SYN, id: 300, seq: 40, window: 9000, extensions, payload: "hello" });
  const packet = peer.events[0]!.connection.readPacket()!;
  assert.deepEqual(
    [Buffer.from(packet.data).toString(), Buffer.from(packet.meta!).toString()],
    ["hello", "meta"],
  );
});

test("before proof nothing more is sent than came, retransmissions included", () => {
  const peer = listening();
  const payload = new Uint8Array(1165);
  peer.send({ type: SYN, id: 300, seq: 40, window: 90_000, extensions: extended(100), payload });
  const { connection } = peer.events[0]!;
  connection.write(new Uint8Array(5000));
  peer.advance(9000);
  const bytes = peer.sent().reduce((sum, { size }) => sum + size, 0);
  assert.ok(bytes <= 1200 && bytes > 1000, `${bytes} bytes were sent`);
});

test("an unproved connection is given up after ten seconds without a word to its address", () => {
  const peer = listening();
  peer.send({ type: SYN, id: 300, seq: 40, window: 9000, extensions: extended(5), payload: "hello" });
  peer.sent();
  peer.advance(10_001);
  assert.deepEqual([peer.error, peer.endpoint.size, peer.sent()], ["ETIMEDOUT", 0, []]);
});

test("proof opens the tap, and is confirmed when our dialler asks", () => {
  const peer = listening();
  peer.send({ type: SYN, id: 300, seq: 40, window: 90_000, extensions: extended(5), payload: "hello" });
  const first = peer.sentOne().seq;
  const { connection } = peer.events[0]!;
  connection.write(new Uint8Array(5000));
  peer.sent();
  const extensions = [[0x70, Uint8Array.of(4, 0, 0)]] as const;
  peer.send({ type: STATE, id: 301, seq: 41, ack: first - 1, window: 90_000, extensions });
  const [confirmation, ...data] = peer.sent();
  assert.deepEqual(confirmation!.handshake, [3, first]);
  assert.equal(connection.validated, true);
  assert.ok(data.length >= 4);
  assert.ok(data.every(({ handshake }) => handshake === undefined));
});

test("above 64 unproved first flights a bare STATE asks for proof first", () => {
  const peer = listening();
  const syn = { type: SYN, seq: 40, window: 9000, extensions: extended(5), payload: "hello" };
  for (let i = 0; i < 70; i++) {
    peer.now += 10;
    peer.send({ ...syn, id: 2 * i }, { address: "10.0.1.1", port: 1 + i });
  }
  assert.equal(peer.said.filter((type) => type === "accepted").length, 64);
  const answers = peer.sent();
  assert.equal(answers.length, 70);
  const last = answers.at(-1)!;
  assert.deepEqual(last.handshake, [0, last.seq]);
  peer.send(
    { type: DATA, id: 139, seq: 41, ack: last.seq - 1, window: 9000, payload: "hello" },
    { address: "10.0.1.1", port: 70 },
  );
  assert.equal(peer.said.filter((type) => type === "accepted").length, 65);
});

test("above 200 first flights a second a bare STATE asks for proof first", () => {
  const peer = listening();
  for (let i = 0; i < 300; i++) {
    const remote = { address: "10.0.1.1", port: 1 + i };
    peer.send({ type: SYN, id: 7, seq: 40, window: 9000, extensions: extended(1), payload: "x" }, remote);
    const answer = peer.sentOne();
    peer.send({ type: STATE, id: 8, seq: 41, ack: answer.seq - 1, window: 9000 }, remote);
  }
  const early = peer.events.filter(({ type, connection }) => type === "readable" && connection.readable > 0);
  assert.equal(early.length, 200);
  assert.equal(peer.said.filter((type) => type === "accepted").length, 300);
});

test("a flood of SYNs is remembered to a bound, and the newest are served", () => {
  const peer = listening();
  let first = 0;
  for (let i = 0; i < 5000; i++) {
    peer.send({ type: SYN, id: 7, seq: 40, window: 9000 }, { address: "10.0.2.1", port: 1 + i });
    first = peer.sentOne().seq;
  }
  const data = { type: DATA, id: 8, seq: 41, ack: first - 1, window: 9000, payload: "x" };
  peer.send(data, { address: "10.0.2.1", port: 5000 });
  assert.deepEqual(peer.said, ["accepted", "readable"]);
  assert.equal(peer.endpoint.size, 1);
});

test("a SYN with an id that is taken is refused, and the connection that has it goes on", () => {
  const peer = listening();
  const first = dial(peer);
  peer.send({ type: DATA, id: 301, seq: 41, ack: first - 1, window: 9000, payload: "x" });
  peer.sent();
  peer.send({ type: SYN, id: 300, seq: 4000, window: 9000 });
  const reset = peer.sentOne();
  assert.deepEqual([reset.type, reset.id, reset.ack], [RESET, 300, 4000]);
  assert.equal(peer.events[0]!.connection.state, "connected");
  assert.equal(peer.drops("foreign-syn"), 1);
});

test("more connections than allowed are refused", () => {
  const peer = listening();
  peer.endpoint.maxConnections = 1;
  const first = dial(peer);
  peer.send({ type: DATA, id: 301, seq: 41, ack: first - 1, window: 9000, payload: "x" });
  peer.sent();
  peer.send({ type: SYN, id: 500, seq: 1, window: 9000 });
  const reset = peer.sentOne();
  assert.deepEqual([reset.type, reset.id, reset.ack], [RESET, 500, 1]);
});

test("without listening every SYN is refused, also the same one again", () => {
  const peer = new ScriptedPeer();
  for (let i = 0; i < 2; i++) {
    peer.send({ type: SYN, id: 300, seq: 40, window: 9000 });
    assert.equal(peer.sentOne().type, RESET);
  }
});

test("strangers get one RESET in ten seconds, and a RESET is never answered", () => {
  const peer = listening();
  const stranger = { type: DATA, id: 9, seq: 77, ack: 1, window: 9000, payload: "?" };
  peer.send(stranger);
  const reset = peer.sentOne();
  assert.deepEqual([reset.type, reset.id, reset.ack], [RESET, 9, 77]);
  peer.send(stranger);
  peer.advance(9000);
  peer.send(stranger);
  assert.deepEqual(peer.sent(), []);
  peer.advance(1001);
  peer.send(stranger);
  assert.equal(peer.sentOne().type, RESET);
  peer.send({ type: RESET, id: 10, ack: 1 });
  assert.deepEqual(peer.sent(), []);
});

test("a flood from strangers is answered a hundred times a second at most", () => {
  const peer = listening();
  for (let i = 0; i < 3000; i++) peer.send({ type: DATA, id: i, seq: 1, ack: 1, window: 1 });
  assert.equal(peer.sent().length, 100);
});

test("malformed datagrams are dropped and counted by reason", () => {
  const peer = listening();
  const packet = encode({ type: STATE, id: 1 });
  peer.sendRaw(packet.subarray(0, 19));
  peer.sendRaw(Uint8Array.of(0x22, ...packet.subarray(1)));
  peer.sendRaw(Uint8Array.of(0x51, ...packet.subarray(1)));
  peer.sendRaw(encode({ type: STATE, id: 1, extensions: [[1, new Uint8Array(0)]] }));
  peer.sendRaw(Uint8Array.of(0x21, 1, ...packet.subarray(2), 0, 200));
  assert.deepEqual(Object.fromEntries(peer.endpoint.drops), {
    short: 1,
    version: 1,
    type: 1,
    "selective-ack": 1,
    extension: 1,
  });
  assert.deepEqual(peer.sent(), []);
});
