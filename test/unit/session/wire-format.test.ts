import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { concat, fromHex, toHex } from "../../../src/base/bytes.ts";
import type { CipherName } from "../../../src/contract/crypto.ts";
import { nobleCrypto } from "../../../src/platform/noble-crypto.ts";
import { nodeCrypto } from "../../../src/platform/node-crypto.ts";
import { ByteQueue } from "../../../src/session/byte-queue.ts";
import { CipherState } from "../../../src/session/cipher-state.ts";
import { decodeFrames, type Frame, FrameWriter } from "../../../src/session/frame.ts";
import { MAX_PLAINTEXT, recycleRecord, sealRecord, takeRecord } from "../../../src/session/record.ts";

interface FrameVector {
  readonly frame: Omit<Frame, "body"> & { readonly body?: string };
  readonly bytes: string;
}

interface RecordVector {
  readonly cipher: CipherName;
  readonly key: string;
  readonly from: number;
  readonly records: readonly { readonly plaintext: string; readonly record: string }[];
}

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../vectors/session/${name}`, import.meta.url), "utf8")) as T;
}

const { frames, decodeOnly, malformed } = read<{
  frames: FrameVector[];
  decodeOnly: FrameVector[];
  malformed: Record<string, string>;
}>("frames.json");

function toBytes(text: string): Uint8Array {
  const [hex = "", zeros = "0"] = text.split("+");
  return concat([fromHex(hex)!, new Uint8Array(Number(zeros))]);
}

function toFrame({ frame }: FrameVector): Frame {
  return (frame.body === undefined ? frame : { ...frame, body: fromHex(frame.body)! }) as Frame;
}

function write(frame: Frame): string {
  const buffer = new Uint8Array(MAX_PLAINTEXT);
  const writer = new FrameWriter(buffer);
  if (frame.type === "data") {
    writer.writeData(frame.offset, frame.body.length, (bytes, at) => bytes.set(frame.body, at));
  } else if (frame.type !== "unknown") writer.write(frame);
  return toHex(buffer.subarray(0, writer.length));
}

describe("frames", () => {
  it("are written and read as the vectors say", () => {
    for (const vector of frames) {
      assert.equal(write(toFrame(vector)), vector.bytes, vector.frame.type);
      assert.deepEqual(decodeFrames(fromHex(vector.bytes)!), [toFrame(vector)]);
    }
  });

  it("of the future are read as unknown", () => {
    for (const vector of decodeOnly) assert.deepEqual(decodeFrames(fromHex(vector.bytes)!), [vector.frame]);
  });

  it("follow one another in a record", () => {
    const all = concat(frames.map(({ bytes }) => fromHex(bytes)!));
    assert.deepEqual(decodeFrames(all), frames.map(toFrame));
    assert.deepEqual(decodeFrames(new Uint8Array(0)), []);
  });

  for (const [name, text] of Object.entries(malformed)) {
    it(`are none at all with ${name}`, () => assert.equal(decodeFrames(toBytes(text)), undefined));
  }
});

describe("records", () => {
  const { records: vectors } = read<{ records: RecordVector[] }>("records.json");
  for (const [name, crypto] of Object.entries({ node: nodeCrypto, noble: nobleCrypto })) {
    it(`are sealed and opened as the vectors say with ${name}`, () => {
      for (const { cipher, key, from, records } of vectors) {
        const [sealing, opening] = [0, 1].map(() => new CipherState(crypto, cipher, fromHex(key)!));
        sealing!.counter = from;
        opening!.counter = from;
        for (const { plaintext, record } of records) {
          assert.equal(toHex(sealRecord(sealing!, fromHex(plaintext)!)), record, `${cipher} from ${from}`);
          const queue = new ByteQueue();
          queue.push(fromHex(record)!);
          assert.equal(toHex(takeRecord(queue, opening!) as Uint8Array), plaintext);
        }
      }
    });
  }

  const fresh = (): CipherState => new CipherState(nodeCrypto, "AESGCM", new Uint8Array(32));

  it("have at most 64 KiB on the wire", () => {
    const record = sealRecord(fresh(), new Uint8Array(MAX_PLAINTEXT));
    assert.equal(record.length, 65_536);
    const queue = new ByteQueue();
    queue.push(record);
    assert.equal((takeRecord(queue, fresh()) as Uint8Array).length, MAX_PLAINTEXT);
  });

  it("are taken one by one however they are cut", () => {
    const sealing = fresh();
    const opening = fresh();
    const stream = concat([5, 0, 70, 30_000].map((size) => sealRecord(sealing, new Uint8Array(size))));
    const queue = new ByteQueue();
    const sizes: number[] = [];
    for (const byte of stream) {
      queue.push(Uint8Array.of(byte));
      const taken = takeRecord(queue, opening);
      assert.notEqual(taken, "forged");
      if (typeof taken !== "string") sizes.push(taken.length);
    }
    assert.deepEqual(sizes, [5, 0, 70, 30_000]);
    assert.equal(queue.length, 0);
  });

  it("of impossible lengths are known at once", () => {
    for (const [length, found] of [
      [15, "forged"],
      [16, "incomplete"],
      [65_534, "incomplete"],
      [65_535, "forged"],
    ]) {
      const queue = new ByteQueue();
      queue.push(Uint8Array.of(Number(length) >> 8, Number(length) & 0xff));
      assert.equal(takeRecord(queue, fresh()), found, `${length}`);
    }
  });

  it("are sealed into arrays that were given back, large ones at least", () => {
    const sealing = fresh();
    const plaintext = new Uint8Array(50_000);
    const first = sealRecord(sealing, plaintext);
    const second = sealRecord(sealing, plaintext);
    assert.notEqual(first.buffer, second.buffer);
    recycleRecord(first);
    const third = sealRecord(sealing, new Uint8Array(20_000));
    assert.equal(third.buffer, first.buffer);
    assert.equal(third.length, 20_018);
    for (const size of [16_365, 16_366, 16_367, 16_368, 16_369]) {
      const small = sealRecord(sealing, new Uint8Array(size));
      recycleRecord(small);
      assert.equal(sealRecord(sealing, new Uint8Array(MAX_PLAINTEXT)).length, 65_536);
    }
  });

  it("are in arrays of their own", () => {
    const [sealing, opening] = [fresh(), fresh()];
    const queue = new ByteQueue();
    for (const fill of [1, 2]) queue.push(sealRecord(sealing, new Uint8Array(100).fill(fill)));
    const first = takeRecord(queue, opening) as Uint8Array;
    takeRecord(queue, opening);
    assert.ok(first.every((byte) => byte === 1));
  });
});
