import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { serialAdd } from "../../../src/base/serial.ts";
import type { UtpConnection } from "../../../src/utp/connection.ts";
import { DATA, decodePacket, HANDSHAKE, METADATA, Packet, SYN } from "../../../src/utp/packet.ts";
import { randomRuns } from "../../kit/random-runs.ts";
import { ScriptedPeer, type ScriptPacket } from "../../unit/utp/scripted-peer.ts";

/** Packets that one datagram may cause to leave (chosen: more than fit into any window here). */
const MOST_ANSWERS = 1000;
const RECEIVE_WINDOW = 65_536;
const LARGEST = 65_536;

/** Where packets stand whose numbers are written as distances from the right ones. */
interface Numbers {
  readonly id: number;
  readonly seq: number;
  readonly ack: number;
}

const distance = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -3, max: 8 }) },
  { weight: 1, arbitrary: fc.integer({ min: -32_768, max: 32_767 }) },
);
/** Mostly of the size that the decoder expects. */
const extension = fc.oneof(
  ...[
    [1, 4],
    [1, 8],
    [2, 5],
    [0x70, 3],
    [0x71, 4],
    [0x72, 2],
    [0x73, 2],
  ].map(([type, size]) =>
    fc.tuple(fc.constant(type!), fc.uint8Array({ minLength: size!, maxLength: size! })),
  ),
  fc.tuple(fc.constantFrom(1, 2, 3, 0x70, 0x71, 0x72, 0x73, 255), fc.uint8Array({ maxLength: 16 })),
);
const packet = fc.record({
  type: fc.constantFrom(0, 0, 0, 0, 1, 2, 2, 3, 4),
  id: fc.constantFrom(0, 0, 0, 0, -1, 1),
  seq: distance,
  ack: distance,
  window: fc.constantFrom(0, 1, 1199, 65_536, 2 ** 32 - 1),
  timestamp: fc.nat(2 ** 32 - 1),
  difference: fc.constantFrom(0, 1, 30_000, 2 ** 32 - 1),
  extensions: fc.array(extension, { maxLength: 3 }),
  length: fc.constantFrom(0, 1, 100, 1452),
});
/** A packet, or something that the application or time does. */
const step = fc.oneof(
  { weight: 8, arbitrary: packet.map((value) => ({ packet: value })) },
  { weight: 1, arbitrary: fc.nat(20_000).map((write) => ({ write })) },
  { weight: 1, arbitrary: fc.nat(20_000).map((wait) => ({ wait })) },
  { weight: 1, arbitrary: fc.constant({ read: true }) },
  { weight: 1, arbitrary: fc.constantFrom("end", "close", "abort").map((leave) => ({ leave })) },
);
const steps = fc.array(step, { maxLength: 40 });
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** An endpoint that has dialled. */
function dialled(): { peer: ScriptedPeer; connection: UtpConnection; numbers: Numbers } {
  const peer = new ScriptedPeer({ receiveWindow: RECEIVE_WINDOW });
  const { connection, id, seq, peerSeq } = peer.dialled();
  return { peer, connection, numbers: { id, seq: peerSeq, ack: serialAdd(seq, -1) } };
}

/** An endpoint that a plain peer has dialled. */
function accepted(): { peer: ScriptedPeer; connection: UtpConnection; numbers: Numbers } {
  const peer = new ScriptedPeer({ receiveWindow: RECEIVE_WINDOW });
  peer.endpoint.listen();
  peer.send({ type: SYN, id: 10, seq: 5, window: 50_000 });
  const { seq } = peer.sentOne();
  const numbers = { id: 11, seq: 6, ack: serialAdd(seq, -1) };
  peer.send({ type: DATA, ...numbers, window: 50_000, payload: "x" });
  peer.sent();
  return { peer, connection: peer.events[0]!.connection, numbers };
}

/** An endpoint that has taken a first flight of somebody who has proved nothing. */
function unproved(): { peer: ScriptedPeer; connection: UtpConnection; numbers: Numbers } {
  const peer = new ScriptedPeer({ receiveWindow: RECEIVE_WINDOW });
  peer.endpoint.listen();
  const extensions = [
    [METADATA, new Uint8Array(8)],
    [HANDSHAKE, Uint8Array.of(0, 0, 100)],
  ] as const;
  peer.send({ type: SYN, id: 10, seq: 5, window: 50_000, extensions, payload: new Uint8Array(1000) });
  const { seq } = peer.sentOne();
  return {
    peer,
    connection: peer.events[0]!.connection,
    numbers: { id: 11, seq: 6, ack: serialAdd(seq, -1) },
  };
}

function take(peer: ScriptedPeer, connection: UtpConnection, numbers: Numbers, action: Step): void {
  if ("packet" in action) peer.send(absolute(action.packet, numbers));
  else if ("write" in action) connection.write(new Uint8Array(action.write));
  else if ("wait" in action) peer.advance(action.wait);
  else if ("read" in action) connection.read();
  else connection[action.leave as "end" | "close" | "abort"]();
}

function absolute(
  relative: typeof packet extends fc.Arbitrary<infer T> ? T : never,
  numbers: Numbers,
): ScriptPacket {
  const { length, ...rest } = relative;
  return {
    ...rest,
    id: serialAdd(numbers.id, relative.id),
    seq: serialAdd(numbers.seq, relative.seq),
    ack: serialAdd(numbers.ack, relative.ack),
    payload: new Uint8Array(length),
  };
}

/** What holds after every step, whatever it was. */
function checkStep(peer: ScriptedPeer, connection: UtpConnection): void {
  assert.ok(peer.sent().length < MOST_ANSWERS, "one step makes a flood");
  assert.ok(connection.readable <= 2 * (RECEIVE_WINDOW + LARGEST), `${connection.readable} bytes wait`);
  const said = peer.events.filter((event) => event.connection === connection).map(({ type }) => type);
  const closed = said.indexOf("closed");
  assert.ok(closed < 0 || closed === said.length - 1, `after the close: ${said}`);
}

describe("whatever a peer sends in whatever order", () => {
  for (const start of [dialled, accepted, unproved]) {
    test(`to an endpoint that has ${start.name === "unproved" ? "an unproved dialler" : start.name}, nothing breaks`, () => {
      fc.assert(
        fc.property(steps, (actions) => {
          const { peer, connection, numbers } = start();
          for (const action of actions) {
            take(peer, connection, numbers, action);
            checkStep(peer, connection);
          }
          for (const open of [...peer.endpoint.connections()]) open.close();
          peer.advance(60_000);
          checkStep(peer, connection);
          assert.equal(peer.endpoint.size, 0);
          assert.equal(peer.endpoint.pollTimeout(), undefined);
          assert.equal(connection.state, "closed");
        }),
        randomRuns(2000),
      );
    });
  }
});

test("any bytes are no packet or one whose parts lie within them, in the order they came", () => {
  const tail = fc.uint8Array({ maxLength: 80 });
  const bytes = fc.tuple(fc.integer({ min: 0, max: 79 }), fc.constantFrom(0, 1, 2, 0x70, 0x71, 255), tail);
  fc.assert(
    fc.property(bytes, ([first, extensionType, rest]) => {
      const data = Uint8Array.of(
        (first & 0x40) | ((first & 7) << 4) | (first & 8 ? 1 : first & 3),
        extensionType,
        ...rest,
      );
      const decoded = new Packet();
      if (decodePacket(data, decoded) !== undefined) return;
      const { payloadStart, sackStart, sackLength, metaStart, metaLength } = decoded;
      assert.ok(payloadStart >= 20 && payloadStart <= data.length);
      assert.ok(sackStart + sackLength <= payloadStart);
      assert.ok(metaStart + metaLength <= payloadStart);
      for (const at of [decoded.handshakeStart, decoded.fragmentStart, decoded.probeStart]) {
        assert.ok(at === 0 || (at >= 22 && at <= payloadStart));
      }
      assert.equal(decoded.payload().length, decoded.payloadLength);
    }),
    randomRuns(100_000),
  );
});
