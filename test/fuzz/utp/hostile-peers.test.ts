import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../../src/base/random.ts";
import type { UtpConnection } from "../../../src/utp/connection.ts";
import { CONFIRM_VALIDATION, DATA, HANDSHAKE, SYN } from "../../../src/utp/packet.ts";
import { seeds } from "../../kit/seeds.ts";
import { ScriptedPeer } from "../../unit/utp/scripted-peer.ts";
import { HostilePeer } from "./hostile-peer.ts";
import { keyOf, Siege } from "./siege.ts";

const CONFIRM = [[HANDSHAKE, Uint8Array.of(CONFIRM_VALIDATION, 0, 0)]] as const;
const PEERS = 8;
/** The application resets the oldest above. */
const MOST_CONNECTIONS = 100;
const ATTACKS = 200_000;
const BURST = 200;
/** What one connection may hold: its window, as much out of order, fragments, and a packet each. */
const MOST_HELD = 2 * 65_536 + 64 * 65_536;

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
