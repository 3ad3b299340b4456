import assert from "node:assert/strict";
import { test } from "node:test";
import { type SeededRandom, seededRandom } from "../../../src/base/random.ts";
import type { Instant } from "../../../src/contract/clock.ts";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import type { UtpConnection } from "../../../src/utp/connection.ts";
import { UtpEndpoint } from "../../../src/utp/endpoint.ts";
import { DATA, FIN, HANDSHAKE, METADATA, RESET, STATE, SYN } from "../../../src/utp/packet.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { encode, type ScriptPacket } from "../../unit/utp/scripted-peer.ts";

/** Longer than any time-out of an endpoint. */
const LONG = 300_000;

function pick<T>(random: SeededRandom, choices: readonly T[]): T {
  return choices[random.integer(choices.length)]!;
}

/** Counts what an endpoint is sent in the name of one address, and what it sends there. */
class Victim {
  readonly remote: SocketAddress;
  readonly #endpoint: UtpEndpoint;
  readonly #random: SeededRandom;
  now: Instant = 1000;
  received = 0;
  sent = 0;
  accepted = 0;

  constructor(random: SeededRandom, port: number) {
    this.remote = { address: "5.0.0.1", port };
    this.#random = random;
    this.#endpoint = new UtpEndpoint({ random });
    if (random.chance(0.9)) this.#endpoint.listen({ timeout: pick(random, [1000, 30_000]), keepAlive: 1000 });
    if (random.chance(0.1)) this.#endpoint.maxConnections = random.integer(3);
  }

  spoof(packet: ScriptPacket): void {
    const data = encode(packet);
    this.sent += data.length;
    this.#endpoint.handleDatagram({ data, remote: this.remote }, this.now);
    this.#drain();
  }

  /** Lets time pass, with every time-out on the way. */
  wait(ms: number): void {
    const end = this.now + ms;
    for (let at = this.#next(); at <= end; at = this.#next()) {
      this.now = Math.max(this.now, at);
      this.#endpoint.handleTimeout(this.now);
      this.#drain();
    }
    this.now = end;
  }

  #next(): Instant {
    return this.#endpoint.pollTimeout() ?? Number.POSITIVE_INFINITY;
  }

  #drain(): void {
    const endpoint = this.#endpoint;
    for (let again = true; again; ) {
      for (let out = endpoint.pollTransmit(this.now); out; out = endpoint.pollTransmit(this.now)) {
        this.received += out.data.length;
        assert.ok(
          this.received <= this.sent,
          `${this.received} bytes for ${this.sent} (the last ${out.data[0]! >> 4})`,
        );
      }
      again = endpoint.hasEvents;
      for (let event = endpoint.pollEvent(); event; event = endpoint.pollEvent()) {
        if (event.type === "accepted") this.#serve(event.connection);
      }
    }
  }

  /** What an application does that does not know whom it talks to. */
  #serve(connection: UtpConnection): void {
    this.accepted++;
    const random = this.#random;
    connection.read();
    if (random.chance(0.7)) connection.write(new Uint8Array(random.integer(20_000)));
    const end = pick(random, ["end", "close", "abort", "nothing"] as const);
    if (end !== "nothing") connection[end]();
  }

  get size(): number {
    return this.#endpoint.size;
  }
}

/** A SYN as any dialler, ours or not, or none could send it. */
function anySyn(random: SeededRandom, id: number, seq: number): ScriptPacket {
  const payload = new Uint8Array(pick(random, [0, 0, 1, 2, 30, random.integer(1400)]));
  const length = pick(random, [0, payload.length, random.integer(2000)]);
  const handshake = Uint8Array.of(random.integer(16), length >> 8, length & 0xff);
  const extensions = pick<NonNullable<ScriptPacket["extensions"]>>(random, [
    [],
    [[HANDSHAKE, handshake]],
    [
      [METADATA, new Uint8Array(8)],
      [HANDSHAKE, handshake],
    ],
    [[METADATA, new Uint8Array(random.integer(256))]],
  ]);
  return { type: SYN, id, seq, window: pick(random, [0, 1, 50_000, 2 ** 32 - 1]), extensions, payload };
}

/** Any other packet of somebody who cannot see our answers. */
function anyBlind(random: SeededRandom, id: number, seq: number): ScriptPacket {
  return {
    type: pick(random, [DATA, FIN, STATE, RESET]),
    id: (id + random.integer(3) - 1) & 0xffff,
    seq: (seq + random.integer(3)) & 0xffff,
    ack: random.integer(65_536),
    window: 50_000,
    payload: new Uint8Array(random.integer(50)),
  };
}

test("an address that proves nothing never gets more bytes than were sent in its name", async (t) => {
  let accepted = 0;
  await forEachSeed(3000, (seed) => {
    const random = seededRandom(seed);
    const victim = new Victim(random, 1 + random.integer(65_535));
    for (let packets = 1 + random.integer(12); packets > 0; packets--) {
      const id = pick(random, [7, 8, random.integer(65_536)]);
      const seq = pick(random, [100, 101, random.integer(65_536)]);
      victim.spoof(random.chance(0.6) ? anySyn(random, id, seq) : anyBlind(random, id, seq));
      victim.wait(pick(random, [0, 0, 100, 3000, 15_000]));
    }
    victim.wait(LONG);
    assert.equal(victim.size, 0);
    accepted += victim.accepted;
  });
  t.diagnostic(`${accepted} connections were made of spoofed first flights`);
  assert.ok(accepted > 0);
});
