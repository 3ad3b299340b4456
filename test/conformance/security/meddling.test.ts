import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, type TestContext, test } from "node:test";
import { type Direction, Relay, type Unit } from "./relay.ts";
import { Scene, type Stand } from "./scene.ts";
import { WIRES, type Wire } from "./wires.ts";
import type { Witness } from "./witness.ts";

/** What the client says, one record each, and the server echoes. */
const WORDS = Array.from({ length: 6 }, (_, i) => `word ${i} `);
const ALL = WORDS.join("");

interface Outcome {
  readonly stand: Stand;
  readonly client: Witness;
}

/**
 * Says what is passed on in place of a unit; `since` counts those of its direction since the first word came
 * back and is negative before.
 */
type Act = (unit: Unit, since: number) => readonly Uint8Array[];

/** Has a conversation through a meddler, whose `direction` gets a unit a word, until both sides have given up. */
async function converse(t: TestContext, wire: Wire, act: Act, direction: Direction = "up"): Promise<Outcome> {
  const scene = new Scene(t, wire, wire.place);
  const stand = await scene.serve();
  const since = { up: -1, down: -1 };
  const relay = await Relay.open(scene, stand.info[0]!, (unit) => {
    const count = since[unit.direction];
    if (count >= 0) since[unit.direction]++;
    return act(unit, count);
  });
  const client = scene.dial(relay.info, {}, relay.transports);
  client.socket.write(WORDS[0]!);
  await client.hears(WORDS[0]!).catch(() => client.gone());
  since.up = since.down = 0;
  for (const word of WORDS.slice(1)) {
    if (client.closed) break;
    client.socket.write(word);
    await Promise.race([relay.next(direction), client.gone()]);
  }
  await client.gone();
  for (const visitor of stand.visitors) await visitor.gone();
  return { stand, client };
}

/** One error on each side that saw a connection, and no byte that was not said. */
function assertBroken({ stand, client }: Outcome, codes: readonly string[]): void {
  for (const witness of [client, ...stand.visitors]) {
    assert.equal(ALL.slice(0, witness.heard.length), witness.heard);
    assert.equal(witness.errors.length, 1, witness.events.join());
    assert.ok(codes.includes(witness.errors[0]!), witness.events.join());
    assert.equal(witness.events.filter((event) => event === "end").length, 0);
  }
}

/** Meddles with the handshake or confirmation of a direction. */
function at(direction: Direction, index: number, change: (bytes: Buffer) => Uint8Array): Act {
  return (unit) => [unit.direction === direction && unit.index === index ? change(unit.bytes) : unit.bytes];
}

/** Meddles with the second unit of a direction since the first word came back. */
function later(direction: Direction, change: (unit: Unit) => readonly Uint8Array[]): Act {
  return (unit, since) => (unit.direction === direction && since === 1 ? change(unit) : [unit.bytes]);
}

/** One bit of a unit is another one; negative offsets count from its end. */
function flip(bytes: Buffer, offset: number, bit = 1): Buffer {
  const changed = Buffer.from(bytes);
  const place = offset < 0 ? changed.length + offset : offset;
  changed[place]! ^= bit;
  return changed;
}

/** A record of the right form without any meaning. */
function foreign(length: number): Buffer {
  const bytes = randomBytes(2 + length);
  bytes.writeUInt16BE(length);
  return bytes;
}

/** Keeps the unit that `which` means, and puts it behind the unit that comes `after` so many more. */
function repeating(direction: Direction, after: number, which: (unit: Unit, since: number) => boolean): Act {
  let old: Buffer | undefined;
  return (unit, since) => {
    if (unit.direction !== direction) return [unit.bytes];
    if (!old && which(unit, since)) old = Buffer.from(unit.bytes);
    return old && since === after ? [unit.bytes, old] : [unit.bytes];
  };
}

const BROKEN = ["ERR_1TP_BAD_FRAME", "ECONNRESET"];

/** What is done to records. */
const ON_RECORDS: Readonly<Record<string, (direction: Direction) => Act>> = {
  "flips a bit of the length": (way) => later(way, ({ bytes }) => [flip(bytes, 1)]),
  "flips the first bit of the ciphertext": (way) => later(way, ({ bytes }) => [flip(bytes, 2, 0x80)]),
  "flips the last bit of the tag": (way) => later(way, ({ bytes }) => [flip(bytes, -1)]),
  "cuts a record short": (way) => later(way, ({ bytes }) => [bytes.subarray(0, -1)]),
  "drops a record": (way) => later(way, () => []),
  "repeats a record at once": (way) => later(way, ({ bytes }) => [bytes, bytes]),
  "repeats a record later": (way) => repeating(way, 2, (_unit, since) => since === 0),
  "repeats the first record": (way) => repeating(way, 1, ({ index }) => index === 1),
  "swaps two records": (way) => {
    let held: readonly Buffer[] = [];
    return (unit, since) => {
      if (unit.direction !== way || since > 1) return [unit.bytes];
      const passed = since === 0 ? [] : [unit.bytes, ...held];
      held = since === 0 ? [unit.bytes] : [];
      return passed;
    };
  },
  "sends a record back where it came from": (way) =>
    later(way, ({ bytes, carrier }) => {
      carrier.insert(way === "up" ? "down" : "up", Buffer.from(bytes));
      return [bytes];
    }),
  "puts in a record of its own": (way) => later(way, ({ bytes }) => [foreign(40), bytes]),
  "puts in a record without even a tag": (way) => later(way, ({ bytes }) => [foreign(15), bytes]),
  "puts in an alert": (way) => later(way, ({ bytes }) => [Buffer.of(0, 0, 2), bytes]),
};

/** What is done to the connection under the session. */
const ON_THE_WAY: Readonly<Record<string, (direction: Direction) => Act>> = {
  "ends one direction": (way) =>
    later(way, ({ bytes, carrier }) => {
      carrier.insert(way, bytes);
      carrier.end(way);
      return [];
    }),
  "ends one direction in the middle of a record": (way) =>
    later(way, ({ bytes, carrier }) => {
      carrier.insert(way, bytes.subarray(0, 9));
      carrier.end(way);
      return [];
    }),
  "closes both": (way) =>
    later(way, ({ carrier }) => {
      carrier.cut();
      return [];
    }),
  "resets both": (way) =>
    later(way, ({ carrier }) => {
      carrier.cut(new Error("cut"));
      return [];
    }),
};

/** What is done to the first message up. */
const ON_HELLO: Readonly<Record<string, (hello: Buffer) => Buffer>> = {
  "asks for the other cipher": (hello) => flip(hello, 0, 1),
  "asks for XX in place of IK": (hello) => flip(hello, 0, 4),
  "asks for a version nobody speaks": (hello) => flip(hello, 0, 0x80),
  "changes the ephemeral key": (hello) => flip(hello, 3),
  "changes the client's key": (hello) => flip(hello, 3 + 32),
  "changes the payload": (hello) => flip(hello, -17),
  "changes the last tag": (hello) => flip(hello, -1),
};

const REFUSED = ["ERR_1TP_PEER_MISMATCH", "ERR_1TP_HANDSHAKE_FAILED"];

for (const wire of WIRES) {
  describe(`a man in the middle of ${wire.word}`, () => {
    for (const direction of ["up", "down"] as const) {
      for (const [what, act] of Object.entries(ON_RECORDS)) {
        test(`who ${what}, ${direction}, breaks the session on both sides`, async (t) => {
          const outcome = await converse(t, wire, act(direction), direction);
          assert.equal(outcome.stand.visitors.length, 1);
          assertBroken(outcome, BROKEN);
        });
      }

      for (const [what, act] of Object.entries(ON_THE_WAY)) {
        test(`who ${what}, ${direction}, resets the session on both sides`, async (t) => {
          const outcome = await converse(t, wire, act(direction), direction);
          assert.equal(outcome.stand.visitors.length, 1);
          assertBroken(outcome, ["ECONNRESET"]);
        });
      }
    }

    for (const [what, change] of Object.entries(ON_HELLO)) {
      test(`who ${what} is refused, and no server sees a connection`, async (t) => {
        const outcome = await converse(t, wire, at("up", 0, change));
        assert.equal(outcome.stand.visitors.length, 0);
        assertBroken(outcome, REFUSED);
        assert.equal(outcome.client.events.includes("connect"), false);
      });
    }

    for (const offset of [2, 40, -1]) {
      test(`who changes byte ${offset} of the answer is refused, and no server sees a connection`, async (t) => {
        const outcome = await converse(
          t,
          wire,
          at("down", 0, (bytes) => flip(bytes, offset)),
        );
        assert.equal(outcome.stand.visitors.length, 0);
        assertBroken(outcome, ["ERR_1TP_PEER_MISMATCH"]);
        assert.equal(outcome.client.events.includes("connect"), false);
      });
    }

    test("who changes the client's confirmation breaks a session the server never shows", async (t) => {
      const outcome = await converse(
        t,
        wire,
        at("up", 1, (bytes) => flip(bytes, -1)),
      );
      assert.equal(outcome.stand.visitors.length, 0);
      assertBroken(outcome, BROKEN);
      assert.equal(outcome.client.events[0], "connect");
    });

    test("who only passes on harms nobody", async (t) => {
      const scene = new Scene(t, wire, wire.place);
      const stand = await scene.serve();
      const relay = await Relay.open(scene, stand.info[0]!, ({ bytes }) =>
        [...bytes].map((byte) => Buffer.of(byte)),
      );
      const client = scene.dial(relay.info, {}, relay.transports);
      client.socket.end(ALL);
      assert.deepEqual(await client.gone(), ["connect", "end", "close"]);
      assert.equal(client.heard, ALL);
    });
  });
}
