import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { runtime } from "#platform";
import { codeOf } from "../../../src/base/errors.ts";
import { type SeededRandom, seededRandom } from "../../../src/base/random.ts";
import type { Listener } from "../../../src/contract/transport.ts";
import { WINDOW } from "../../../src/host/credit.ts";
import { WebSocketTransport } from "../../../transports/websocket/index.ts";
import { ChannelProbe } from "../../conformance/channel-probe.ts";
import { forEachSeed } from "../../kit/seeds.ts";

let listener: Listener;
let url: string;
const arrivals: ((probe: ChannelProbe) => void)[] = [];

before(async () => {
  listener = await new WebSocketTransport().listen!({
    runtime,
    listeningInfo: [{ transportType: "websocket", transportInfo: { address: "127.0.0.1" } }],
    exclusive: false,
    onChannel: (channel) => arrivals.shift()?.(new ChannelProbe(channel)),
    onError: assert.fail,
  });
  url = String(listener.endpoints[0]!.transportInfo.url);
});

after(() => listener.close());

const arrival = (): Promise<ChannelProbe> => new Promise((resolve) => arrivals.push(resolve));

/** A WebSocket that does what it likes, and the channel at the server. */
async function meet(): Promise<{ rogue: WebSocket; probe: ChannelProbe }> {
  const arriving = arrival();
  const rogue = new WebSocket(url);
  rogue.on("error", () => undefined);
  await once(rogue, "open");
  return { rogue, probe: await arriving };
}

/** A TCP connection past the opening handshake, for frames that no library would send. */
async function meetBare(): Promise<{ socket: Socket; probe: ChannelProbe }> {
  const arriving = arrival();
  const { port } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1").on("error", () => undefined);
  socket.write(
    "GET /1tp HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  );
  await once(socket, "data");
  return { socket, probe: await arriving };
}

async function closing(probe: ChannelProbe): Promise<string | undefined> {
  await probe.until("close", () => probe.closed !== undefined);
  assert.deepEqual(probe.breaches, []);
  return codeOf(probe.closed?.error);
}

/** A masked frame with a mask of zeros (RFC 6455 §5.2). */
function frame(opcode: number, payload: Uint8Array, final = true): Buffer {
  const head = Buffer.alloc(payload.length < 126 ? 6 : 8);
  head[0] = (final ? 0x80 : 0) | opcode;
  if (payload.length < 126) head[1] = 0x80 | payload.length;
  else {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(payload.length, 2);
  }
  return Buffer.concat([head, payload]);
}

describe("a websocket channel whose peer breaks its rules", () => {
  for (const [what, message] of [
    ["words that mean nothing", "hello"],
    ["an empty text", ""],
    ["a grant of nothing", "grant 0"],
    ["a grant of more than there can be", `grant ${WINDOW}`],
    ["a grant with a fraction", "grant 1.5"],
    ["a grant below nothing", "grant -1"],
    ["a grant with too many digits", `grant ${"9".repeat(400)}`],
    ["an end that says more", "end "],
    ["a long text", "x".repeat(65_536)],
  ] as const) {
    test(`closes with a code after ${what}`, async () => {
      const { rogue, probe } = await meet();
      probe.attach();
      rogue.send(message);
      assert.equal(await closing(probe), "ERR_1TP_BAD_FRAME");
      await once(rogue, "close");
    });
  }

  test("closes with a code after bytes that follow the end", async () => {
    const { rogue, probe } = await meet();
    probe.attach();
    rogue.send(Buffer.from("before"));
    rogue.send("end");
    rogue.send(Buffer.from("after"));
    assert.equal(await closing(probe), "ERR_1TP_BAD_FRAME");
    assert.equal(probe.received().toString(), "before");
  });

  test("closes with a code after a message of more than 64 KiB", async () => {
    const { rogue, probe } = await meet();
    probe.attach();
    rogue.send(Buffer.alloc(65_537));
    assert.equal(await closing(probe), "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH");
  });

  for (const size of [1, 65_536]) {
    test(`keeps no more than was granted of messages of ${size} bytes that nobody reads`, async () => {
      const { rogue, probe } = await meet();
      probe.pause();
      probe.attach();
      let sent = 0;
      const open = (): boolean => rogue.readyState === WebSocket.OPEN;
      while (open() && sent * (size + 64) < 4 * WINDOW) {
        sent++;
        await new Promise<void>((resolve) => rogue.send(Buffer.alloc(size), () => resolve()));
      }
      assert.equal(await closing(probe), "ERR_1TP_BAD_FRAME");
      assert.equal(probe.bytes, 0);
    });
  }

  test("takes empty messages, pings and fragments as what they are", async () => {
    const { socket, probe } = await meetBare();
    probe.attach();
    for (let i = 0; i < 20; i++) socket.write(frame(9, Buffer.from("ping")));
    for (let i = 0; i < 10_000; i++) socket.write(frame(2, Buffer.alloc(0)));
    socket.write(frame(2, Buffer.from("frag"), false));
    socket.write(frame(9, Buffer.alloc(0)));
    socket.write(frame(0, Buffer.from("ments")));
    await probe.until("the word", () => probe.received().toString() === "fragments");
    probe.abort();
    socket.destroy();
    await closing(probe);
  });

  test("gives up a peer that asks for pongs faster than they can be sent", async () => {
    const { socket, probe } = await meetBare();
    probe.attach();
    socket.pause();
    socket.write(Buffer.concat(Array.from({ length: 100_000 }, () => frame(9, Buffer.alloc(125)))));
    assert.equal(await closing(probe), "ECONNRESET");
    socket.destroy();
  });

  test("gives up a peer whose message never ends", async () => {
    const { socket, probe } = await meetBare();
    probe.attach();
    socket.write(frame(2, Buffer.alloc(1), false));
    for (let i = 0; i < 70_000 && !socket.destroyed; i++) socket.write(frame(0, Buffer.alloc(1), false));
    assert.match((await closing(probe)) ?? "", /^WS_ERR_/);
    assert.equal(probe.bytes, 0);
    socket.destroy();
  });

  test("hears of a connection that is cut, and of a close without an end, as a reset", async () => {
    for (const leave of [(rogue: WebSocket) => rogue.terminate(), (rogue: WebSocket) => rogue.close(1001)]) {
      const { rogue, probe } = await meet();
      probe.attach();
      leave(rogue);
      assert.equal(await closing(probe), "ECONNRESET");
    }
  });

  test("survives whatever frames come", { timeout: 60_000 }, () =>
    forEachSeed(60, async (seed) => {
      const random = seededRandom(seed);
      const { socket, probe } = await meetBare();
      probe.attach();
      for (let i = 0; i < 30; i++) socket.write(anyFrame(random));
      socket.end();
      const code = await closing(probe);
      assert.match(code ?? "none", /^(none|ECONNRESET|ERR_1TP_BAD_FRAME|WS_ERR_\w+)$/);
      socket.destroy();
    }),
  );
});

const WORDS = ["end", "grant 100", "grant 1048576", "reset", "\ud800"];

function anyFrame(random: SeededRandom): Uint8Array {
  if (random.chance(0.02)) return random.fill(new Uint8Array(random.integer(64)));
  if (random.chance(0.1)) return frame(1, Buffer.from(WORDS[random.integer(WORDS.length)]!));
  const opcode = random.chance(0.05) ? random.integer(16) : [0, 2, 2, 2, 9, 10][random.integer(6)]!;
  const payload = random.fill(new Uint8Array(random.integer(random.chance(0.1) ? 60_000 : 125)));
  return frame(opcode, payload, random.chance(0.9));
}
