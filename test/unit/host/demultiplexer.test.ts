import assert from "node:assert/strict";
import test from "node:test";
import { fromHex } from "../../../src/base/bytes.ts";
import type { DatagramSink, SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { Demultiplexer } from "../../../src/host/demultiplexer.ts";
import { looksLikeStun } from "../../../src/stun/message.ts";
import { RecordedSocket } from "./recorded-socket.ts";

const PEER: SocketAddress = { address: "10.0.0.2", port: 1002 };
const TURN: SocketAddress = { address: "10.0.0.3", port: 3478 };

/** A Binding request without attributes. */
const STUN = fromHex(`00010000${"2112a442"}0102030405060708090a0b0c`)!;
const UTP_DATA = fromHex(`01000001${"00".repeat(16)}`)!;
/** DATA whose first bytes are those of a STUN success response. */
const UTP_LIKE_STUN = fromHex(`01010000${"00".repeat(16)}`)!;

function bench() {
  const socket = new RecordedSocket();
  const demultiplexer = new Demultiplexer(socket);
  const heard: string[] = [];
  const sink = (name: string): DatagramSink => ({
    onDatagram: () => heard.push(name),
    onDrain: () => heard.push(`${name} drain`),
    onSendError: (code) => heard.push(`${name} ${code}`),
    onClose: () => heard.push(`${name} close`),
  });
  demultiplexer.utp = sink("utp");
  demultiplexer.stun = sink("stun");
  return {
    socket,
    demultiplexer,
    heard,
    sink,
    deliver: (data: Uint8Array, from = PEER) => socket.sink!.onDatagram(data, from),
  };
}

test("STUN and uTP on one port are told apart, also where their first bytes are alike", () => {
  const { heard, deliver } = bench();
  for (const data of [STUN, UTP_DATA, UTP_LIKE_STUN]) deliver(data);
  assert.deepEqual(heard, ["stun", "utp", "utp"]);
});

test("STUN with a wrong length or cookie is none", () => {
  assert.equal(looksLikeStun(STUN), true);
  assert.equal(looksLikeStun(STUN.subarray(0, 19)), false);
  assert.equal(looksLikeStun(Uint8Array.of(...STUN, 0, 0, 0, 0)), false);
  assert.equal(looksLikeStun(STUN.with(4, 0)), false);
  assert.equal(looksLikeStun(STUN.with(0, 0x40)), false);
  assert.equal(looksLikeStun(STUN.with(3, 1)), false);
});

test("what comes from a claimed server is its sink's, whatever it looks like, until it is released", () => {
  const { demultiplexer, heard, deliver, sink } = bench();
  const release = demultiplexer.claim(TURN, sink("turn"));
  for (const data of [STUN, UTP_DATA, Uint8Array.of(1, 2, 3)]) deliver(data, TURN);
  deliver(STUN);
  release();
  release();
  deliver(UTP_DATA, TURN);
  assert.deepEqual(heard, ["turn", "turn", "turn", "stun", "utp"]);
});

test("the rest is counted, and what nobody wants", () => {
  const { demultiplexer, heard, deliver } = bench();
  demultiplexer.stun = undefined;
  for (const data of [STUN, new Uint8Array(0), Uint8Array.of(0x16, 0xfe, 0xff), fromHex("02".repeat(20))!]) {
    deliver(data);
  }
  assert.deepEqual([heard, demultiplexer.dropped], [[], 4]);
});

test("drain and close reach everybody, errors those who sent", () => {
  const { demultiplexer, socket, heard, sink } = bench();
  demultiplexer.claim(TURN, sink("turn"));
  socket.sink!.onDrain!();
  socket.sink!.onSendError!("EPERM", TURN);
  socket.sink!.onSendError!("EMSGSIZE", PEER);
  socket.sink!.onClose!();
  const expected = ["turn", "utp", "stun"];
  assert.deepEqual(heard, [
    ...expected.map((name) => `${name} drain`),
    "turn EPERM",
    "utp EMSGSIZE",
    "stun EMSGSIZE",
    ...expected.map((name) => `${name} close`),
  ]);
});
