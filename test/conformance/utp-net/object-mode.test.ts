import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { type Connection, type ConnectionOptions, connect, type MetaBuffer, type MetaBytes } from "1tp/utp";
import { assertNothingLeft } from "../../kit/leaks.ts";
import { close, listen, portOf } from "./loopback.ts";

const OBJECTS = { objectMode: true } as const;

/** Bytes with metadata. */
function withMeta(bytes: string | Uint8Array, meta: string | Uint8Array): MetaBytes {
  return Object.assign(Buffer.from(bytes as string), { meta });
}

/** The packets of a connection until it ends, in words. */
async function packets(connection: Connection): Promise<string[]> {
  const seen: string[] = [];
  for await (const packet of connection) {
    const { meta } = packet as MetaBuffer;
    assert.ok(Buffer.isBuffer(packet));
    assert.ok(meta === undefined || Buffer.isBuffer(meta));
    seen.push(meta === undefined ? `${packet}` : `${meta}: ${packet}`);
  }
  return seen;
}

/** What a server in object mode reads of what a client does. */
async function received(
  act: (client: Connection) => void,
  options: ConnectionOptions = OBJECTS,
): Promise<string[]> {
  const server = await listen(OBJECTS, () => {});
  const client = connect(portOf(server), "127.0.0.1", options);
  const [accepted] = await Promise.all([
    once(server, "connection").then(([connection]) => packets(connection)),
    act(client.resume()),
  ]);
  await close(server);
  return accepted;
}

describe("object mode of 1tp/utp", () => {
  test("keeps the boundaries of writes, small ones in a burst included", () =>
    assertNothingLeft(async () => {
      const texts = Array.from({ length: 200 }, (_, i) => `write ${i}`);
      const seen = await received((client) => {
        for (const text of texts) client.write(text);
        client.end("the last");
      });
      assert.deepEqual(seen, [...texts, "the last"]);
    }));

  test("brings metadata of text and of bytes, and none where there was none", () =>
    assertNothingLeft(async () => {
      const seen = await received((client) => {
        client.write(withMeta("one", "text ☂"));
        client.write(withMeta("two", Buffer.from("bytes")));
        client.write(withMeta("three", new TextEncoder().encode("a Uint8Array")));
        client.write(Buffer.from("four"));
        client.write("five");
        client.end(withMeta("six", "end"));
      });
      assert.deepEqual(seen, [
        "text ☂: one",
        "bytes: two",
        "a Uint8Array: three",
        "four",
        "five",
        "end: six",
      ]);
    }));

  test("takes metadata on a plain Uint8Array", () =>
    assertNothingLeft(async () => {
      const chunk: MetaBytes = Object.assign(new TextEncoder().encode("bytes"), { meta: "kept" });
      assert.deepEqual(await received((client) => void client.end(chunk)), ["kept: bytes"]);
    }));

  test("takes the longest metadata there is, and bytes of every value", () =>
    assertNothingLeft(async () => {
      const every = Uint8Array.from({ length: 255 }, (_, i) => i + 1);
      const server = await listen(OBJECTS, () => {});
      connect(portOf(server), "127.0.0.1", OBJECTS).end(withMeta("x", every)).resume();
      const [accepted] = await once(server, "connection");
      const [packet] = await once(accepted, "data");
      assert.deepEqual(new Uint8Array((packet as MetaBuffer).meta!), every);
      accepted.end();
      await close(server);
    }));

  test("gives every packet of a large write the metadata of the write", () =>
    assertNothingLeft(async () => {
      const options = { ...OBJECTS, mtu: 1000 };
      const seen = await received((client) => {
        client.write(withMeta("a".repeat(10_000), "first"));
        client.end(withMeta("b".repeat(10_000), "second"));
      }, options);
      assert.ok(seen.length >= 20, `${seen.length} packets`);
      for (const [meta, letter] of [
        ["first: ", "a"],
        ["second: ", "b"],
      ] as const) {
        const parts = seen
          .filter((packet) => packet.startsWith(meta))
          .map((packet) => packet.slice(meta.length));
        assert.equal(parts.join(""), letter.repeat(10_000));
        assert.ok(parts.every((part) => part.length <= 1000));
      }
    }));

  test("splits what a byte stream writes where the packets are", () =>
    assertNothingLeft(async () => {
      const seen = await received((client) => void client.end("c".repeat(5000)), { mtu: 500 });
      assert.equal(seen.join(""), "c".repeat(5000));
      assert.ok(seen.length >= 10);
    }));

  test("brings the data of the SYN first, with its metadata", () =>
    assertNothingLeft(async () => {
      const data = withMeta("in the SYN", "early");
      const seen = await received((client) => void client.end("later"), { ...OBJECTS, data });
      assert.deepEqual(seen, ["early: in the SYN", "later"]);
    }));

  test("ignores metadata outside of it", () =>
    assertNothingLeft(async () => {
      const seen = await received((client) => void client.end(withMeta("plain", "ignored")), {});
      assert.deepEqual(seen, ["plain"]);
    }));

  test("counts bytes, not packets", () =>
    assertNothingLeft(async () => {
      const server = await listen(OBJECTS);
      const client = connect(portOf(server), "127.0.0.1", OBJECTS);
      for (let i = 0; i < 10; i++) client.write(withMeta("12345", `${i}`));
      assert.equal(client.bytesWritten, 50);
      client.end();
      assert.equal((await packets(client)).length, 10);
      assert.deepEqual([client.bytesRead, client.bytesWritten], [50, 50]);
      await close(server);
    }));

  test("refuses metadata of other types or longer than 255 bytes at once, and goes on", () =>
    assertNothingLeft(async () => {
      const seen = await received((client) => {
        for (const [meta, code] of [
          [5, "ERR_INVALID_ARG_TYPE"],
          [null, "ERR_INVALID_ARG_TYPE"],
          [["a"], "ERR_INVALID_ARG_TYPE"],
          ["m".repeat(256), "ERR_OUT_OF_RANGE"],
          ["☂".repeat(86), "ERR_OUT_OF_RANGE"],
        ] as const) {
          const wrong = Object.assign(Buffer.from("x"), { meta });
          assert.throws(() => client.write(wrong), { code });
          assert.throws(() => client.end(wrong), { code });
        }
        for (const wrong of [null, 5, { meta: "x" }]) {
          assert.throws(() => client.write(wrong), /ERR_|null/);
        }
        client.end(withMeta("good", "still"));
      });
      assert.deepEqual(seen, ["still: good"]);
    }));

  test("takes the metadata when it is written, whatever becomes of the chunk", () =>
    assertNothingLeft(async () => {
      const seen = await received((client) => {
        const chunk = withMeta("x", Buffer.from("before")) as MetaBytes & { meta: Buffer };
        client.write(chunk);
        chunk.meta.fill("!");
        chunk.meta = Buffer.from("afterwards");
        client.end();
      });
      assert.deepEqual(seen, ["before: x"]);
    }));

  test("lets a reader that pauses hold up the writer", () =>
    assertNothingLeft(async () => {
      const server = await listen(OBJECTS, () => {});
      const client = connect(portOf(server), "127.0.0.1", OBJECTS).resume();
      const chunk = withMeta(Buffer.alloc(60_000, 1), "bulk");
      for (let i = 0; i < 200; i++) client.write(chunk);
      client.end();
      const [accepted] = await once(server, "connection");
      accepted.pause();
      const other = connect(portOf(server), "127.0.0.1");
      const [echoing] = await once(server, "connection");
      echoing.pipe(echoing);
      for (let i = 0; i < 50; i++) {
        other.write("round trip");
        await once(other, "data");
      }
      other.end();
      assert.ok(client.writableLength > 0, "the writer is held up");
      assert.ok(
        accepted.readableLength <= accepted.readableHighWaterMark + 1,
        `${accepted.readableLength} packets wait`,
      );
      let bytes = 0;
      for await (const packet of accepted) bytes += packet.length;
      assert.equal(bytes, 200 * 60_000);
      await close(server);
    }));
});
