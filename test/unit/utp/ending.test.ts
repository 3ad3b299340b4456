import assert from "node:assert/strict";
import test from "node:test";
import { DATA, FIN, RESET, STATE } from "../../../src/utp/packet.ts";
import { connected } from "./connected-peer.ts";
import { ScriptedPeer } from "./scripted-peer.ts";

test("time-outs back off, and a silent peer is given up with ETIMEDOUT and a RESET", () => {
  const { peer, connection } = connected();
  connection.write(Buffer.from("hello?"));
  peer.advance(29_000);
  const tries = peer.sent().length;
  assert.ok(tries >= 8 && tries <= 14, `${tries} tries`);
  peer.advance(2000);
  assert.equal(peer.sent().at(-1)!.type, RESET);
  assert.deepEqual([peer.error, connection.state, peer.endpoint.size], ["ETIMEDOUT", "closed", 0]);
});

test("one direction may end while the other goes on", () => {
  const { peer, connection, data, acknowledge } = connected();
  data(0, "last words");
  data(1, "", FIN);
  assert.deepEqual(peer.said, ["connected", "readable"]);
  connection.read();
  peer.drain();
  assert.deepEqual(peer.said, ["connected", "readable", "end"]);
  connection.write(Buffer.from("still here"));
  connection.end();
  assert.equal(connection.write(Buffer.from("too late")), false);
  const sent = peer.sent();
  assert.deepEqual(
    sent.slice(-2).map(({ type, payload }) => [type, payload.toString()]),
    [
      [DATA, "still here"],
      [FIN, ""],
    ],
  );
  acknowledge(2);
  assert.deepEqual(peer.said.slice(3), ["finished", "closed"]);
  assert.equal(peer.error, undefined);
});

test("an end that acknowledges ours is heard after that ours is", () => {
  const { peer, connection, id, seq, peerSeq } = connected();
  connection.end();
  peer.sent();
  peer.send({ type: FIN, id, seq: peerSeq, ack: seq, window: 9000 });
  assert.deepEqual(peer.said, ["connected", "finished", "end", "closed"]);
});

test("an end that overtakes data waits for it", () => {
  const { peer, connection, data } = connected();
  data(1, "", FIN);
  assert.deepEqual(peer.said, ["connected"]);
  data(0, "data");
  assert.equal(connection.read()!.length, 4);
  assert.equal(connection.read(), undefined);
  peer.drain();
  assert.deepEqual(peer.said, ["connected", "readable", "end"]);
});

test("data after an end, and an end before data, are dropped and counted", () => {
  const { peer, connection, data } = connected();
  data(5, "five");
  data(3, "", FIN);
  assert.equal(peer.drops("after-end"), 1);
  data(6, "", FIN);
  data(7, "seven");
  data(9, "", FIN);
  assert.equal(peer.drops("after-end"), 3);
  for (let i = 0; i < 5; i++) data(i, `${i}`);
  assert.equal(Buffer.from(connection.read()!).toString(), "01234five");
});

test("a RESET in the window is ECONNRESET, any other a guess", () => {
  const { peer, connection, id, seq } = connected();
  connection.write(new Uint8Array(100));
  peer.sent();
  for (const ack of [seq + 2, seq - 4, seq + 30_000]) peer.send({ type: RESET, id, ack: ack & 0xffff });
  assert.deepEqual([peer.drops("reset-guess"), connection.state], [3, "connected"]);
  peer.send({ type: RESET, id: id + 1, ack: seq });
  assert.equal(peer.error, "ECONNRESET");
  assert.equal(peer.endpoint.size, 0);
});

test("abort tells the peer with its last numbers, and closes with the given error", () => {
  const { peer, connection, data, id, seq, peerSeq } = connected();
  data(0, "x");
  peer.sent();
  const error = new Error("enough");
  connection.abort(error);
  const reset = peer.sentOne();
  assert.deepEqual([reset.type, reset.id, reset.seq, reset.ack], [RESET, id + 1, seq, peerSeq]);
  assert.equal(peer.events.at(-1)!.error, error);
  connection.abort();
  connection.end();
  connection.close();
  assert.equal(connection.write(new Uint8Array(1)), false);
  assert.deepEqual(peer.sent(), []);
  assert.equal(peer.said.filter((type) => type === "closed").length, 1);
});

test("close still sends what was written and an end, for up to five seconds", () => {
  const { peer, connection, acknowledge } = connected();
  connection.write(Buffer.from("goodbye"));
  connection.close();
  peer.drain();
  assert.deepEqual(peer.said, ["connected", "closed"]);
  assert.deepEqual(
    peer.sent().map(({ type }) => type),
    [DATA, FIN],
  );
  acknowledge(1);
  peer.advance(5001);
  assert.equal(peer.sent().at(-1)!.type, RESET);
  assert.equal(peer.endpoint.size, 0);
});

test("data for a connection whose user has closed it is answered with a RESET, as TCP does", () => {
  const { peer, connection, data } = connected();
  connection.close();
  peer.sent();
  data(0, "anybody there?");
  assert.equal(peer.sentOne().type, RESET);
  assert.equal(peer.endpoint.size, 0);
});

test("an idle peer is asked whether it lives, and given up when it does not answer", () => {
  const peer = new ScriptedPeer();
  const { connection, id, seq, peerSeq } = peer.dialled();
  connection.setKeepAlive(10_000);
  peer.advance(10_001);
  const question = peer.sentOne();
  assert.deepEqual([question.type, question.seq, question.payload.length], [DATA, (seq - 1) & 0xffff, 0]);
  peer.send({ type: STATE, id, seq: peerSeq, ack: seq - 1, window: 1000 });
  peer.advance(9000);
  assert.deepEqual(peer.sent(), []);
  peer.advance(60_000);
  assert.equal(peer.error, "ETIMEDOUT");
});

test("a peer whose system says that nobody is there is given up unless it shows up within two seconds", () => {
  const { peer, connection, acknowledge } = connected();
  connection.write(new Uint8Array(100));
  peer.sent();
  peer.endpoint.sendFailed("ECONNREFUSED", { address: "10.0.0.2", port: 1002 }, peer.now);
  peer.advance(1900);
  acknowledge(1);
  peer.advance(5000);
  assert.equal(connection.state, "connected");
  peer.endpoint.sendFailed("ECONNREFUSED", { address: "10.0.0.2", port: 1002 }, peer.now);
  peer.endpoint.sendFailed("ECONNREFUSED", { address: "10.0.0.2", port: 1003 }, peer.now);
  peer.advance(2001);
  assert.equal(peer.error, "ECONNRESET");
});
