import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../../src/base/random.ts";
import { serialAdd } from "../../../src/base/serial.ts";
import type { UtpConnection } from "../../../src/utp/connection.ts";
import { CONFIRM_VALIDATION, DATA, FRAGMENT, HANDSHAKE, SYN } from "../../../src/utp/packet.ts";
import { memory } from "../../kit/memory.ts";
import { seeds } from "../../kit/seeds.ts";
import { ScriptedPeer, type ScriptPacket } from "../../unit/utp/scripted-peer.ts";
import { HostilePeer } from "./hostile-peer.ts";
import { keyOf, Siege } from "./siege.ts";

const CONFIRM = [[HANDSHAKE, Uint8Array.of(CONFIRM_VALIDATION, 0, 0)]] as const;
const PEERS = 8;
/** The application resets the oldest above. */
const MOST_CONNECTIONS = 100;
const ATTACKS = 200_000;
const BURST = 200;
/** What one connection may hold: its window, twice as much out of order, fragments; and what the heap rounds up. */
const MOST_HELD = 4 * 65_536 + 256 * 1024;
/** A fragment from the beginning of a packet of the largest size, and of two bytes. */
const HUGE = Uint8Array.of(0, 0, 255, 255);
const TINY = Uint8Array.of(0, 0, 0, 2);

test("hostile peers with connections of their own harm nobody else, and hold no more than their share", (t) => {
  const [seed] = seeds(1);
  const siege = new Siege(seed!, { bytes: 4_000_000, chunk: 60_000 });
  const random = seededRandom(seed! + 20);
  const peers = Array.from({ length: PEERS }, (_, i) => {
    const remote = { address: `5.0.2.${i}`, port: 2000 + i };
    siege.proved.add(keyOf(remote));
    return new HostilePeer(remote, random);
  });
  siege.onAnswer = (data, to) => peers.find(({ remote }) => remote.port === to.port)?.hear(data);
  const opened = new Map<unknown, string[]>();
  const open: UtpConnection[] = [];
  siege.onStranger = ({ type, connection }) => {
    const heard = opened.get(connection) ?? [];
    assert.ok(!heard.includes("closed"), `${type} after closed`);
    opened.set(connection, [...heard, type]);
    if (type === "accepted") {
      connection.write(new Uint8Array(random.integer(100_000)));
      if (open.push(connection) > MOST_CONNECTIONS) open.shift()!.abort();
    }
    // Every other application reads nothing at all.
    if (type === "readable" && connection.remote.port % 2 === 0) while (connection.read());
    if (type === "end" && random.chance(0.5)) connection.end();
    assert.ok(connection.readable <= MOST_HELD, `${connection.readable} bytes wait`);
  };
  while (siege.sent < ATTACKS) {
    for (let i = 0; i < BURST; i++) {
      const peer = peers[random.integer(PEERS)]!;
      siege.attack(peer.next(), peer.remote);
    }
    siege.net.runFor(20);
    assert.ok(siege.fort.engine.size <= MOST_CONNECTIONS + 1, `${siege.fort.engine.size} connections`);
  }
  const { drops } = siege.fort.engine;
  t.diagnostic(`seed ${seed}: ${opened.size} connections, ${[...drops].join(" ")}`);
  assert.ok(opened.size > PEERS);
  siege.finish(900_000);
  for (const heard of opened.values()) assert.equal(heard.at(-1), "closed");
});

test("who asks for a confirmation without knowing our extension is answered once", () => {
  const peer = new ScriptedPeer();
  peer.endpoint.listen();
  peer.send({ type: SYN, id: 10, seq: 5 });
  const { seq } = peer.sentOne();
  peer.send({ type: DATA, id: 11, seq: 6, ack: seq - 1, window: 1000, extensions: CONFIRM, payload: "x" });
  assert.equal(peer.sent().length, 1);
});

test("who was dialled and asks for a confirmation is answered once", () => {
  const peer = new ScriptedPeer();
  const { id, seq, peerSeq } = peer.dialled();
  peer.send({ type: DATA, id, seq: peerSeq, ack: seq - 1, window: 1000, extensions: CONFIRM, payload: "x" });
  assert.equal(peer.sent().length, 1);
});

/** The memory one peer takes by sending so many packets to a connection that nobody reads. */
function held(count: number, packetOf: (i: number) => Partial<ScriptPacket>): number {
  const peer = new ScriptedPeer({ receiveWindow: 65_536 });
  const { id, seq, peerSeq, connection } = peer.dialled();
  const before = memory();
  for (let i = 0; i < count; i++) {
    const numbers = { type: DATA, id, seq: serialAdd(peerSeq, i), ack: seq - 1, window: 1000 };
    peer.send({ ...numbers, ...packetOf(i) });
    peer.sent();
  }
  const taken = memory() - before;
  connection.abort();
  return taken;
}

for (const [name, packetOf] of [
  ["tiny packets", () => ({ payload: "x" })],
  [
    "tiny packets after a missing one",
    (i) => ({ payload: i === 0 ? "" : "x", ...(i === 0 ? { seq: 0 } : {}) }),
  ],
  ["first fragments of packets that never come", () => ({ extensions: [[FRAGMENT, HUGE]], payload: "x" })],
  ["fragments of tiny packets", () => ({ extensions: [[FRAGMENT, TINY]], payload: "x" })],
] as const satisfies [string, (i: number) => Partial<ScriptPacket>][]) {
  test(`${name} take no more memory than a window of full ones`, (t) => {
    const taken = held(100_000, packetOf);
    t.diagnostic(`${(taken / 1024).toFixed(0)} KB`);
    assert.ok(taken < MOST_HELD, `${taken} bytes`);
  });
}
