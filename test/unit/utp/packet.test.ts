import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import {
  DATA,
  decodePacket,
  HEADER_SIZE,
  looksLikePacket,
  METADATA,
  Packet,
  SELECTIVE_ACK,
  writeExtension,
  writeHeader,
} from "../../../src/utp/packet.ts";

interface Vectors {
  readonly packets: readonly {
    readonly name: string;
    readonly hex: string;
    readonly packet: Record<string, number | string>;
  }[];
  readonly defects: readonly { readonly name: string; readonly hex: string; readonly defect: string }[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/bep29.json", import.meta.url), "utf8"),
) as Vectors;

/** What a decoder has found, in the words of the vectors. */
function describe(packet: Packet): Record<string, number | string> {
  const { type, connectionId, timestamp, timestampDifference, window, seq, ack } = packet;
  const { data, sackStart, sackLength } = packet;
  const meta = packet.meta();
  return {
    type,
    connectionId,
    timestamp,
    timestampDifference,
    window,
    seq,
    ack,
    payload: toHex(packet.payload()),
    ...(sackStart > 0 ? { sack: toHex(data.subarray(sackStart, sackStart + sackLength)) } : {}),
    ...(meta ? { meta: toHex(meta) } : {}),
  };
}

for (const { name, hex, packet: expected } of vectors.packets) {
  test(`decodes ${name}`, () => {
    const packet = new Packet();
    const data = fromHex(hex)!;
    assert.equal(decodePacket(data, packet), undefined);
    assert.deepEqual(describe(packet), expected);
    assert.ok(looksLikePacket(data));
  });
}

for (const { name, hex, defect } of vectors.defects) {
  test(`refuses ${name}`, () => {
    assert.equal(decodePacket(fromHex(hex)!, new Packet()), defect);
  });
}

test("a packet object forgets what it held before", () => {
  const packet = new Packet();
  for (const { hex, packet: expected } of [...vectors.packets, ...vectors.packets].reverse()) {
    decodePacket(fromHex(hex)!, packet);
    assert.deepEqual(describe(packet), expected);
  }
});

test("what is written is what BEP 29 draws", () => {
  const { hex } = vectors.packets.find(({ name }) => name === "DATA with payload")!;
  const out = new Uint8Array(HEADER_SIZE + 5);
  writeHeader(out, DATA, 0x1235, 7, 8, 65536, 0x2711, 0x7fff);
  out.set(new TextEncoder().encode("hello"), HEADER_SIZE);
  assert.equal(toHex(out), hex);
});

test("extensions are chained in the order they are written", () => {
  const { hex } = vectors.packets.find(({ name }) => name.startsWith("an unknown extension between"))!;
  const out = new Uint8Array(hex.length / 2);
  writeHeader(out, DATA, 1, 2, 3, 4, 5, 6);
  const first = writeExtension(out, 1, HEADER_SIZE, SELECTIVE_ACK, 4);
  out.set([1], first);
  const second = writeExtension(out, HEADER_SIZE, first + 4, 99, 8);
  out.set(new TextEncoder().encode("whatever"), second);
  const third = writeExtension(out, first + 4, second + 8, METADATA, 9);
  out.set(new TextEncoder().encode("request-1body"), third);
  assert.equal(toHex(out), hex);
});

test("every shortening of a packet with extensions is refused or decodes within its bytes", () => {
  const { hex } = vectors.packets.find(({ name }) => name.startsWith("an unknown extension between"))!;
  const whole = fromHex(hex)!;
  for (let length = 0; length < whole.length; length++) {
    const packet = new Packet();
    const defect = decodePacket(whole.subarray(0, length), packet);
    if (defect === undefined) assert.ok(packet.payloadLength >= 0);
    else assert.ok(["short", "extension"].includes(defect));
  }
});
