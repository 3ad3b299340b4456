import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { seededRandom } from "../../../src/base/random.ts";
import { isChannelData, StreamFrames } from "../../../src/stun/framing.ts";
import {
  CHANNEL_NUMBER,
  CONNECTION_ID,
  ICMP,
  LIFETIME,
  REQUESTED_ADDRESS_FAMILY,
  REQUESTED_TRANSPORT,
  XOR_PEER_ADDRESS,
  XOR_RELAYED_ADDRESS,
} from "../../../src/turn/attributes.ts";
import { channelOf, dataOf, writeChannelData } from "../../../src/turn/channel-data.ts";
import { decodeIndication, encodeSend } from "../../../src/turn/indications.ts";
import { formatTurnServer, parseTurnUri } from "../../../src/turn/server.ts";
import { randomRuns } from "../../kit/random-runs.ts";
import { hostile, transactionId } from "../stun/hostile-messages.ts";

const KINDS = [
  CHANNEL_NUMBER,
  CONNECTION_ID,
  ICMP,
  LIFETIME,
  REQUESTED_ADDRESS_FAMILY,
  REQUESTED_TRANSPORT,
  XOR_PEER_ADDRESS,
  XOR_RELAYED_ADDRESS,
];
const channel = fc.integer({ min: 0x4000, max: 0x4fff });
const data = fc.uint8Array({ maxLength: 300 });

describe("any bytes", () => {
  it("of an attribute are read or not, and what is read is written and read alike", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...KINDS),
        fc.uint8Array({ maxLength: 24 }),
        transactionId,
        (kind, value, id) => {
          const message = (bytes: Uint8Array) => ({
            class: "success" as const,
            method: 3,
            transactionId: id,
            attributes: [{ type: kind.type, value: bytes }],
          });
          const read = kind.in(message(value));
          if (read === undefined) return;
          const written = (kind as { of(value: unknown): (id: Uint8Array) => { value: Uint8Array } }).of(
            read,
          )(id);
          assert.deepEqual(kind.in(message(written.value)), read);
        },
      ),
      randomRuns(5000),
    );
  });

  it("are a Data indication or none, and nothing that throws", () => {
    fc.assert(
      fc.property(hostile, (bytes) => {
        const indication = decodeIndication(bytes);
        if (indication) assert.match(indication.type, /^(data|unreachable)$/);
        if (isChannelData(bytes)) void [channelOf(bytes), dataOf(bytes)];
      }),
      randomRuns(10_000),
    );
  });
});

describe("any datagram", () => {
  it("comes out of its channel as it went in, also through a stream cut anywhere", () => {
    const frames = fc.array(fc.tuple(channel, data), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(frames, fc.integer({ min: 1, max: 50 }), (sent, cut) => {
        const wire: number[] = [];
        for (const [number, payload] of sent) {
          const frame = writeChannelData(new Uint8Array(payload.length + 4), number, payload);
          wire.push(...frame, ...new Array((4 - (frame.length % 4)) % 4).fill(0));
        }
        const stream = new StreamFrames({ channelData: true });
        const received: unknown[] = [];
        for (let at = 0; at < wire.length; at += cut) {
          for (const frame of stream.push(Uint8Array.from(wire.slice(at, at + cut))))
            received.push([channelOf(frame), Array.from(dataOf(frame)!)]);
        }
        assert.equal(stream.broken, false);
        assert.deepEqual(
          received,
          sent.map(([number, payload]) => [number, Array.from(payload)]),
        );
      }),
      randomRuns(1000),
    );
  });

  it("fits into a Send indication", () => {
    const remote = { address: "5.0.0.7", port: 7 };
    fc.assert(
      fc.property(data, (payload) => {
        const bytes = encodeSend(seededRandom(1), payload, remote);
        // A Data indication differs in its method alone.
        bytes[1] = 0x17;
        assert.deepEqual(decodeIndication(bytes), { type: "data", data: payload, remote });
      }),
      randomRuns(500),
    );
  });
});

describe("any URI", () => {
  it("names a TURN server or none, and is written as it was read", () => {
    const part = fc.constantFrom(
      "turn",
      "turns",
      "stun",
      ":",
      "[::1]",
      "1.2.3.4",
      "example.org",
      "?transport=",
      "udp",
      "tcp",
      "80",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const server = parseTurnUri(parts.join(""));
        if (server) assert.deepEqual(parseTurnUri(formatTurnServer(server)), server);
      }),
      randomRuns(5000),
    );
  });
});
