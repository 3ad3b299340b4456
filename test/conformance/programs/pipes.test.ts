import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { Duplex, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { describe, test } from "node:test";
import { createBrotliCompress, createBrotliDecompress, createGunzip, createGzip } from "node:zlib";
import { seededRandom } from "../../../src/base/random.ts";
import { meet, ROADS } from "./rendezvous.ts";

/** Chunks of all sizes, half of them hard to compress; the same for the same seed. */
function* chunks(seed: number): Generator<Buffer> {
  const random = seededRandom(seed);
  for (let sent = 0; sent < 16 << 20; ) {
    const chunk = Buffer.alloc(1 + random.integer(200_000), sent);
    if (random.chance(0.5)) random.fill(chunk);
    sent += chunk.length;
    yield chunk;
  }
}

async function sha256(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of source) hash.update(chunk);
  return hash.digest("hex");
}

for (const road of ROADS) {
  describe(`pipelines over ${road.name}`, () => {
    test("16 MiB through gzip arrive whole", async (t) => {
      const seed = Number(process.env.SEED ?? Date.now());
      t.diagnostic(`SEED=${seed}`);
      let received: Promise<string> | undefined;
      const meeting = await meet(t, road, (socket) => {
        received = pipeline(socket, createGunzip(), sha256);
      });
      await pipeline(Readable.from(chunks(seed)), createGzip({ level: 1 }), meeting.dial().resume());
      assert.equal(await received, await sha256(chunks(seed)));
    });

    test("a server that recompresses in the middle of a pipeline gives all back", async (t) => {
      const options = { params: { 1: 1 } };
      const meeting = await meet(
        t,
        road,
        (socket) => pipeline(socket, createGunzip(), createBrotliCompress(options), socket),
        { allowHalfOpen: true },
      );
      const socket = meeting.dial();
      const body = "round and round ".repeat(100_000);
      const sent = pipeline(Readable.from([body]), createGzip({ level: 1 }), socket);
      assert.equal(await text(socket.pipe(createBrotliDecompress())), body);
      await sent;
    });

    test("a program's stdin and stdout may be a socket", async (t) => {
      const script = "process.stdin.on('data', (c) => process.stdout.write(String(c).toUpperCase()))";
      const meeting = await meet(
        t,
        road,
        (socket) => {
          const child = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] });
          socket.pipe(child.stdin);
          child.stdout.pipe(socket);
        },
        { allowHalfOpen: true },
      );
      const socket = meeting.dial();
      socket.end("run this");
      assert.equal(await text(socket), "RUN THIS");
    });

    test("web streams of a socket carry bytes both ways", async (t) => {
      const meeting = await meet(t, road, (socket) => socket.pipe(socket), { allowHalfOpen: true });
      const { readable, writable } = Duplex.toWeb(meeting.dial());
      const writer = writable.getWriter();
      await writer.write(new TextEncoder().encode("by way of the web"));
      await writer.close();
      assert.equal(await text(readable), "by way of the web");
    });

    test("two connections pipe into each other", async (t) => {
      const far = await meet(t, road, (socket) => socket.pipe(socket), { allowHalfOpen: true });
      const near = await meet(
        t,
        road,
        (socket) => {
          const onward = far.dial();
          pipeline(socket, onward, socket).catch((error) => socket.destroy(error));
        },
        { allowHalfOpen: true },
      );
      const socket = near.dial();
      socket.end("there and back");
      assert.equal(await text(socket), "there and back");
    });
  });
}
