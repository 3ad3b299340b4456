import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../../src/base/random.ts";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { memory } from "../../kit/memory.ts";
import { seeds } from "../../kit/seeds.ts";
import { HostileDatagrams, realPackets } from "./hostile-datagrams.ts";
import { Siege } from "./siege.ts";

const ATTACKS = 1_000_000;
const BURST = 500;
/** First flights of unproved senders that are taken at once (DESIGN.md §6). */
const MOST_UNPROVED = 64;
/** Strangers who hit upon the one of 65,536 numbers that proves an address, while any of them lasts. */
const LUCKY = 2;
/** Why a datagram may be dropped; anything else is a reason nobody has written down. */
const REASONS =
  /^(short|version|type|extension|selective-ack|stranger|stranger-reset|refused|busy|after-close|after-end|duplicate|beyond-window|ack-unsent|ack-stale|reset-guess|foreign-syn|no-answer)$/;

test("a million hostile datagrams harm nobody, and leave nothing behind", (t) => {
  const [seed] = seeds(1);
  const siege = new Siege(seed!, { bytes: 12_000_000, chunk: 60_000 });
  const random = seededRandom(seed! + 10);
  const datagrams = new HostileDatagrams(random, realPackets());
  const regulars = Array.from({ length: 300 }, (_, i) => ({ address: `5.0.1.${i % 250}`, port: 1 + i }));
  const anyAddress = (): SocketAddress =>
    random.chance(0.7)
      ? regulars[random.integer(300)]!
      : { address: `5.${random.integer(200)}.${random.integer(200)}.9`, port: 1 + random.integer(65_535) };
  const before = memory();
  let most = 0;
  while (siege.sent < ATTACKS) {
    for (let i = 0; i < BURST; i++) siege.attack(datagrams.next(), anyAddress());
    most = Math.max(most, siege.fort.engine.size);
    siege.net.runFor(25);
  }
  assert.ok(siege.acceptor.read > 3_000_000, `only ${siege.acceptor.read} bytes came through`);
  assert.ok(most <= MOST_UNPROVED + 1 + LUCKY, `seed ${seed}: ${most} connections`);
  siege.finish(120_000);
  siege.credit.clear();
  const grown = (memory() - before) / 1e6;
  const { drops } = siege.fort.engine;
  t.diagnostic(
    `seed ${seed}: at most ${most} connections, ${grown.toFixed(1)} MB more, ${[...drops].join(" ")}`,
  );
  for (const reason of drops.keys()) assert.match(reason, REASONS);
  assert.ok(siege.dropped > 0.9 * ATTACKS, `${siege.dropped} were dropped`);
  assert.ok(grown < 4, `${grown} MB more than before`);
});
