import assert from "node:assert/strict";
import test from "node:test";
import type { Random } from "../../../src/contract/runtime.ts";
import { DATA, STATE } from "../../../src/utp/packet.ts";
import { connected } from "./connected-peer.ts";
import { PEER, ScriptedPeer } from "./scripted-peer.ts";

test("packets out of order wait, are told by a selective ack, and are read in order", () => {
  const { peer, data, connection, peerSeq } = connected();
  data(1, "b");
  assert.deepEqual([peer.sentOne().sack, peer.said], ["01000000", ["connected"]]);
  data(3, "d");
  assert.equal(peer.sentOne().sack, "05000000");
  data(0, "a");
  const ack = peer.sentOne();
  assert.deepEqual([ack.ack, ack.sack], [peerSeq + 1, "01000000"]);
  data(2, "c");
  assert.deepEqual([peer.sentOne().sack, Buffer.from(connection.read()!).toString()], ["", "abcd"]);
});

test("a selective ack grows with the distance up to 252 bytes", () => {
  const { peer, data } = connected();
  data(33, "x");
  assert.equal(peer.sentOne().sack, "0000000001000000");
  data(3000, "y");
  assert.equal(peer.sentOne().sack.length, 2 * 252);
});

test("duplicates are acknowledged again, counted and not read twice", () => {
  const { peer, data, connection } = connected();
  const before = peer.drops("duplicate");
  data(0, "a");
  data(0, "a");
  data(2, "c");
  data(2, "c");
  assert.equal(peer.sent().length, 4);
  assert.equal(peer.drops("duplicate") - before, 2);
  assert.equal(connection.read()!.length, 1);
});

test("one acknowledgement answers a burst", () => {
  const { peer, id, seq, peerSeq } = connected();
  for (let i = 0; i < 20; i++) {
    peer.arrive({ type: DATA, id, seq: peerSeq + i, ack: seq - 1, window: 9000, payload: "x" });
  }
  assert.equal(peer.sentOne().ack, peerSeq + 19);
});

test("an acknowledgement rides on data that leaves anyway", () => {
  const { peer, id, seq, peerSeq, connection } = connected();
  connection.write(Buffer.from("answer"));
  peer.arrive({ type: DATA, id, seq: peerSeq, ack: seq - 1, window: 9000, payload: "?" });
  const packet = peer.sentOne();
  assert.deepEqual([packet.type, packet.ack], [DATA, peerSeq]);
});

test("three packets delivered after a missing one have it sent again at once", () => {
  const { peer, connection, acknowledge, seq } = connected();
  connection.write(new Uint8Array(6000));
  assert.equal(peer.sent().length, 5);
  peer.now += 40;
  acknowledge(0, { sack: [0b011, 0, 0, 0] });
  assert.deepEqual(peer.sent(), []);
  acknowledge(0, { sack: [0b111, 0, 0, 0] });
  assert.deepEqual(
    peer.sent().map((packet) => packet.seq),
    [seq],
  );
  assert.equal(connection.stats().retransmitted, 1);
});

test("a tail that is not acknowledged is probed before the retransmission timer fires", () => {
  const { peer, connection, acknowledge } = connected();
  connection.write(new Uint8Array(1200));
  peer.sent();
  peer.now += 40;
  acknowledge(1);
  connection.write(new Uint8Array(100));
  peer.sent();
  peer.advance(199);
  assert.equal(peer.sentOne().payload.length, 100);
  assert.equal(connection.stats().timeouts, 0);
});

test("no more is in flight than the peer's window", () => {
  const { peer, connection } = connected(3000);
  connection.write(new Uint8Array(50_000));
  const bytes = peer.sent().reduce((sum, { payload }) => sum + payload.length, 0);
  assert.ok(bytes <= 3000 && bytes >= 2400);
});

test("a window smaller than a packet is used when nothing is in flight", () => {
  const { peer, connection, acknowledge } = connected(500);
  connection.write(new Uint8Array(2000));
  assert.equal(peer.sentOne().payload.length, 500);
  acknowledge(1);
  assert.equal(peer.sentOne().payload.length, 500);
});

test("a closed window is probed with growing patience, for ever if the peer answers", () => {
  const { peer, connection, acknowledge } = connected(0);
  connection.write(new Uint8Array(5000));
  peer.sent();
  let probes = 0;
  for (let second = 0; second < 600; second++) {
    peer.advance(1000);
    for (const _ of peer.sent()) {
      probes++;
      acknowledge(0, { window: 0 });
    }
  }
  assert.ok(probes > 30 && probes < 200, `${probes} probes`);
  assert.equal(connection.state, "connected");
  acknowledge(1, { window: 100_000 });
  peer.advance(500);
  assert.ok(peer.sent().length >= 4);
});

test("a closed window of a peer that says nothing more ends with ETIMEDOUT", () => {
  const { peer, connection } = connected(0);
  connection.write(new Uint8Array(5000));
  peer.advance(40_000);
  assert.equal(peer.error, "ETIMEDOUT");
});

test("the window closes while nobody reads, and is told again when somebody does", () => {
  const peer = new ScriptedPeer({ receiveWindow: 4000 });
  const { connection, id, seq, peerSeq } = peer.dialled();
  const send = (offset: number) =>
    peer.send({
      type: DATA,
      id,
      seq: peerSeq + offset,
      ack: seq - 1,
      window: 1,
      payload: new Uint8Array(1000),
    });
  for (let i = 0; i < 4; i++) send(i);
  assert.deepEqual(
    peer.sent().map(({ window }) => window),
    // Each packet counts 256 more than its bytes.
    [2744, 1488, 0, 0],
  );
  send(4);
  assert.equal(peer.drops("beyond-window"), 1);
  peer.sent();
  connection.read(1000);
  assert.deepEqual(peer.sent(), []);
  connection.read();
  assert.equal(peer.sentOne().window, 4000);
});

test("small writes wait for each other while something is in flight, unless noDelay is set", () => {
  const { peer, connection, acknowledge } = connected();
  connection.write(Buffer.from("a"));
  connection.write(Buffer.from("b"));
  assert.equal(peer.sentOne().payload.toString(), "ab");
  connection.write(Buffer.from("c"));
  connection.write(Buffer.from("d"));
  assert.deepEqual(peer.sent(), []);
  acknowledge(1);
  assert.equal(peer.sentOne().payload.toString(), "cd");
  connection.setNoDelay(true);
  connection.write(Buffer.from("e"));
  assert.equal(peer.sentOne().payload.toString(), "e");
});

test("packets split where the metadata changes, and nowhere else", () => {
  const { peer, connection } = connected();
  connection.setNoDelay(true);
  const [one, two] = [Buffer.from("request-1"), Buffer.from("request-2")];
  connection.write(Buffer.from("a"), one);
  connection.write(Buffer.from("b"), Buffer.from(one));
  connection.write(Buffer.from("c"), two);
  connection.write(Buffer.from("d"));
  assert.deepEqual(
    peer
      .sent()
      .map(({ raw, payload }) => [raw.meta() && Buffer.from(raw.meta()!).toString(), payload.toString()]),
    [
      ["request-1", "ab"],
      ["request-2", "c"],
      [undefined, "d"],
    ],
  );
  assert.throws(() => connection.write(Buffer.from("x"), new Uint8Array(256)), { code: "ERR_OUT_OF_RANGE" });
});

test("a received packet keeps its boundaries and metadata", () => {
  const { peer, connection, id, seq, peerSeq } = connected();
  for (const [i, text] of ["one", "two"].entries()) {
    const extensions = i === 0 ? [[2, Buffer.from("m")] as const] : [];
    peer.send({ type: DATA, id, seq: peerSeq + i, ack: seq - 1, extensions, payload: text });
  }
  const packets = [connection.readPacket()!, connection.readPacket()!];
  assert.deepEqual(
    packets.map(({ data, meta }) => [Buffer.from(data).toString(), meta && Buffer.from(meta).toString()]),
    [
      ["one", "m"],
      ["two", undefined],
    ],
  );
  assert.equal(connection.readPacket(), undefined);
});

test("acknowledgements of what was never sent, and very old ones, are dropped and counted", () => {
  const { peer, connection, acknowledge } = connected();
  connection.write(new Uint8Array(100));
  peer.sent();
  acknowledge(2);
  acknowledge(20_000);
  acknowledge(-2000);
  assert.deepEqual([peer.drops("ack-unsent"), peer.drops("ack-stale")], [2, 1]);
  assert.equal(connection.unacknowledged, 100);
  acknowledge(0);
  acknowledge(-5);
  acknowledge(1);
  assert.equal(connection.unacknowledged, 0);
});

test("a selective ack of what was never sent changes nothing", () => {
  const { peer, connection, acknowledge } = connected();
  connection.write(new Uint8Array(100));
  peer.sent();
  acknowledge(0, { sack: new Array(252).fill(0xff) });
  assert.equal(connection.unacknowledged, 100);
  assert.equal(connection.stats().inFlight, 100);
});

test("write refuses above the send buffer, and drain comes when half of it has left", () => {
  const { peer, connection, acknowledge } = connected(1_000_000);
  assert.equal(connection.write(new Uint8Array(200_000)), true);
  assert.equal(connection.write(new Uint8Array(200_000)), false);
  let packets = peer.sent().length;
  while (!peer.said.includes("drain")) {
    peer.advance(20);
    acknowledge(packets, { window: 1_000_000 });
    packets += peer.sent().length;
  }
  const { unacknowledged } = connection;
  assert.ok(unacknowledged - connection.stats().inFlight <= 131_072, `${unacknowledged} bytes are left`);
  peer.advance(20);
  acknowledge(packets, { window: 1_000_000 });
  assert.equal(peer.said.filter((type) => type === "drain").length, 1);
});

test("sequence numbers wrap", () => {
  let draws = 0;
  const random: Random = { fill: (bytes) => bytes.fill(draws++ === 0 ? 0x11 : 0xff) };
  const peer = new ScriptedPeer({ random });
  const { connection, id, peerSeq, seq } = peer.dialled();
  assert.equal(seq, 0);
  connection.write(new Uint8Array(2400));
  assert.deepEqual(
    peer.sent().map((packet) => packet.seq),
    [0, 1],
  );
  peer.send({ type: STATE, id, seq: peerSeq, ack: 0, window: 9000 });
  assert.equal(connection.unacknowledged, 1200);
});

test("packets get smaller when the system says they are too large", () => {
  const peer = new ScriptedPeer({ isOwnHost: () => true });
  const { connection } = peer.dialled(1_000_000);
  connection.write(new Uint8Array(100_000));
  const large = peer.sent()[0]!.payload.length;
  peer.endpoint.sendFailed("EMSGSIZE", { address: "10.0.0.2", port: 1002 }, peer.now);
  connection.setNoDelay(true);
  connection.write(new Uint8Array(50_000));
  peer.advance(30);
  assert.ok(large > 60_000);
  assert.equal(connection.stats().payload, 1200);
});

test("no more packets are in flight than the peer can put in order: 1000, or 4000 if it is one of ours", () => {
  for (const [extensions, most] of [
    [[], 1000],
    [[[0x70, Uint8Array.of(2, 0x13, 0x88)] as const], 4000],
  ] as const) {
    const peer = new ScriptedPeer();
    const connection = peer.endpoint.connect(PEER, { boundaries: true, noDelay: true, keepAlive: false });
    const syn = peer.sentOne();
    const answer = { type: STATE, id: syn.id, seq: 5000, ack: syn.seq, window: 10_000_000 };
    peer.send({ ...answer, extensions });
    for (let i = 0; i < 6000; i++) connection.write(Uint8Array.of(1));
    const seqs = new Set<number>();
    const note = () => {
      for (const { type, seq, payload } of peer.sent())
        if (type === DATA && payload.length > 0) seqs.add(seq);
    };
    note();
    // Tiny packets hardly fill a window; what is acknowledged selectively still counts.
    for (let round = 0; round < 50; round++) {
      peer.advance(5);
      const sack = [1, new Uint8Array(252).fill(0xff)] as const;
      peer.send({ ...answer, extensions: [sack, ...extensions] });
      note();
    }
    assert.equal(seqs.size, most);
  }
});
