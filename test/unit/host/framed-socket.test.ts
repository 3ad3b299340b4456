import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { codeOf } from "../../../src/base/errors.ts";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { FramedSocket } from "../../../src/host/framed-socket.ts";
import { StreamFrames } from "../../../src/stun/framing.ts";
import { writeChannelData } from "../../../src/turn/channel-data.ts";

/** A stream and the server's end of it. */
async function pair(
  body: (stream: FramedSocket, far: Socket, server: SocketAddress) => Promise<void>,
): Promise<void> {
  const listener = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const near = connect(port, "127.0.0.1");
  const [[far]] = await Promise.all([
    once(listener, "connection") as Promise<[Socket]>,
    once(near, "connect"),
  ]);
  far.on("error", () => {});
  const server = { address: "127.0.0.1", port };
  try {
    await body(
      new FramedSocket(near, server, new StreamFrames({ channelData: true, maxSize: 70_000 })),
      far,
      server,
    );
  } finally {
    far.destroy();
    near.destroy();
    listener.close();
  }
}

const frame = (size: number): Uint8Array =>
  writeChannelData(new Uint8Array(size + 4), 0x4001, new Uint8Array(size).fill(7));

async function read(far: Socket, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  far.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
  });
  far.resume();
  while (length < bytes) await once(far, "data");
  return Buffer.concat(chunks);
}

describe("a stream of frames to a TURN server", () => {
  it("pads ChannelData on the wire, and gives the caller's bytes back at once", () =>
    pair(async (stream, far) => {
      const sent = frame(5);
      assert.equal(stream.send(sent), "sent");
      sent.fill(0);
      assert.deepEqual([...(await read(far, 12))], [0x40, 1, 0, 5, 7, 7, 7, 7, 7, 0, 0, 0]);
    }));

  it("hands out frames that came in pieces, without their padding, and from the server", () =>
    pair(async (stream, far, server) => {
      const frames: number[][] = [];
      const both = new Promise<void>((resolve) => {
        stream.attach({
          onDatagram(data, remote) {
            assert.deepEqual(remote, server);
            if (frames.push([...data]) === 2) resolve();
          },
        });
      });
      const wire = [...frame(1), 0, 0, 0, ...frame(4)];
      for (const byte of wire) far.write(Uint8Array.of(byte));
      await both;
      assert.deepEqual(frames, [[...frame(1)], [...frame(4)]]);
    }));

  it("stops senders when much waits, and lets them go on when nothing does", () =>
    pair(async (stream, far) => {
      let drained: () => void = () => {};
      const drain = new Promise<void>((resolve) => {
        drained = resolve;
      });
      stream.attach({ onDatagram() {}, onDrain: drained });
      let result = "sent";
      let count = 0;
      while (result === "sent") {
        result = stream.send(frame(1400));
        count++;
        if (count % 50 === 0) await new Promise(setImmediate);
      }
      assert.equal(result, "queued");
      assert.equal(stream.send(frame(1)), "ENOBUFS");
      const all = read(far, count * 1404);
      await drain;
      assert.equal((await all).length, count * 1404);
      assert.equal(stream.send(frame(1)), "sent");
    }));

  it("ends when what comes is no frame", () =>
    pair(async (stream, far) => {
      const closed = new Promise<Error | undefined>((resolve) => {
        stream.attach({ onDatagram: () => assert.fail("a frame"), onClose: resolve });
      });
      far.write("220 mail.example.org ESMTP\r\n");
      assert.equal(codeOf(await closed), "EPROTO");
      assert.equal(stream.send(frame(1)), "EPIPE");
    }));

  it("ends when the server does, and sends what was sent before it is closed", () =>
    pair(async (stream, far) => {
      const closed = new Promise<Error | undefined>((resolve) => {
        stream.attach({ onDatagram() {}, onClose: resolve });
      });
      stream.send(frame(8));
      stream.close();
      assert.equal((await read(far, 12)).length, 12);
      assert.equal(await closed, undefined);
    }));
});
