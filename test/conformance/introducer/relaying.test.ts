import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { createServer, RelayTransport, Server, Socket } from "1tp";
import { encodeRelayedFrame } from "../../../signaling/introducer/wire.ts";
import { encodeRelayed, KIND, RELAY_WINDOW } from "../../../signaling/registrar/relay-frame.ts";
import { TcpTransport } from "../../../transports/tcp/index.ts";
import { UdpTransport } from "../../../transports/udp/index.ts";
import { assertNothingLeft } from "../../kit/leaks.ts";
import { House, type Peer, Stranger } from "./house.ts";

function check(
  fact: string,
  body: (house: House) => Promise<void>,
  ...[options = { relay: true }, create]: Parameters<typeof House.open>
): void {
  test(fact, { timeout: 60_000 }, () =>
    assertNothingLeft(async () => {
      const house = await House.open(options, create);
      try {
        await body(house);
      } finally {
        await house.close();
      }
    }),
  );
}

/** A server of one peer's, and a socket of another's to it, through the introducer alone. */
async function connect(
  server: Peer,
  client: Peer,
): Promise<[far: Socket, near: Socket, close: () => Promise<void>]> {
  const listening = new Server([new RelayTransport({ signaling: server.signaling })], server);
  const accepted = once(listening, "connection");
  const info = await listening.listenP();
  const near = new Socket([new RelayTransport({ signaling: client.signaling })], client);
  await near.connectP(info);
  const [far] = (await accepted) as [Socket];
  for (const socket of [near, far]) socket.on("error", () => {});
  const close = async (): Promise<void> => {
    const closed = [near, far].map((socket) => socket.closed || once(socket, "close"));
    near.destroy();
    far.destroy();
    await Promise.all([...closed, listening.closeP()]);
  };
  return [far, near, close];
}

/** A word each way. */
async function converse(...[near, far]: readonly [Socket, Socket]): Promise<void> {
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    const heard = once(to, "data");
    from.write("hello");
    assert.equal(`${(await heard)[0]}`, "hello");
  }
}

describe("an introducing server that relays", () => {
  for (const [word, create] of Object.entries({
    tcp: () => new TcpTransport(),
    udp: () => new UdpTransport(),
  })) {
    check(
      `connects two clients by ${word} that nothing else connects, each sure of the other`,
      async (house) => {
        const [server, client] = [await house.peer(), await house.peer()];
        const [far, near, close] = await connect(server, client);
        assert.equal(near.transport, "relay");
        assert.equal(near.remotePublicKey, server.identity.publicKey);
        assert.equal(far.remotePublicKey, client.identity.publicKey);
        await converse(near, far);
        await close();
        await Promise.all([server.echo(), client.echo()]);
      },
      { relay: true },
      create,
    );
  }

  check(
    "carries much more than it holds, and leaves the way to the bytes of the connections",
    async (house) => {
      const [server, client] = [await house.peer(), await house.peer()];
      const [far, near, close] = await connect(server, client);
      const size = 8_000_000;
      let came = 0;
      const relayed = new Promise<void>((resolve) => {
        far.on("data", ({ length }: Buffer) => {
          came += length;
          if (came === size) resolve();
        });
      });
      near.write(Buffer.alloc(size, "x"));
      const words = "0123456789abcdef".repeat(2 ** 14);
      await Promise.all([server.echo(words), client.echo(words)]);
      assert.ok(came < size, "the connections' own bytes came last");
      await relayed;
      await close();
    },
  );

  check("stops a sender whose peer does not read, and nobody else", async (house) => {
    const [server, client, third] = [await house.peer(), await house.peer(), await house.peer()];
    const [far, near, close] = await connect(server, client);
    far.pause();
    let waiting = true;
    near.write(Buffer.alloc(16_000_000), () => {
      waiting = false;
    });
    const [other, same, closeBoth] = await connect(third, client);
    await converse(same, other);
    await Promise.all([server.echo(), client.echo()]);
    assert.equal(waiting, true);
    await closeBoth();
    await close();
  });

  check("ends what it relays with the connection of either", async (house) => {
    const [server, client] = [await house.peer(), await house.peer()];
    const [far, near, close] = await connect(server, client);
    const lost = [near, far].map((socket) => once(socket, "error"));
    client.socket.destroy();
    for (const [error] of await Promise.all(lost)) assert.equal(error.code, "ECONNRESET");
    await server.echo();
    await close();
  });

  check(
    "does not relay unless it is told to",
    async (house) => {
      const [server, client] = [await house.peer(), await house.peer()];
      const listening = new Server([new RelayTransport({ signaling: server.signaling })], server);
      const info = await listening.listenP();
      const dial = new Socket([new RelayTransport({ signaling: client.signaling })], client).connectP(info);
      await assert.rejects(dial, { code: "ERR_1TP_UNSUPPORTED" });
      await listening.closeP();
      const stranger = await new Stranger(await house.socket()).enter();
      await stranger.send(encodeRelayedFrame(0, encodeRelayed(1, KIND.data, "unasked")));
      assert.equal((await stranger.hears("end")).status, 1002);
    },
    {},
  );

  test("is one that introduces", () => {
    assert.throws(() => createServer({ relay: true }), { code: "ERR_INVALID_ARG_VALUE" });
    assert.throws(() => createServer({ introduce: true, relay: 1 as unknown as boolean }), {
      code: "ERR_INVALID_ARG_TYPE",
    });
  });
});

describe("two clients that are relayed do not notice a third that", () => {
  const attacks: Record<string, (stranger: Stranger) => Promise<void>> = {
    async "sends frames of no channel, and of none at all"(stranger) {
      for (const dialog of [-1, 1, 7, 2 ** 31 - 1]) {
        await stranger.send(encodeRelayedFrame(0, encodeRelayed(dialog, KIND.data, "for whom?")));
      }
      await stranger.send(encodeRelayedFrame(0, new Uint8Array()));
      assert.equal((await stranger.hears("end")).status, 1002);
    },
    async "asks for channels of dialogs that it does not have"(stranger) {
      for (let dialog = -8; dialog < 8; dialog++) await stranger.say({ type: "relay", dialog });
      await stranger.say({ type: "ping" });
      await stranger.hears("pong");
    },
    async "sends more than it was granted"(stranger) {
      const [channel, other] = await ownChannel(stranger);
      const frame = encodeRelayedFrame(0, encodeRelayed(channel, KIND.data, new Uint8Array(16_000)));
      for (let sent = 0; sent <= RELAY_WINDOW; sent += 16_000) await stranger.send(frame);
      for (const dialog of [channel, other]) await resetOf(stranger, dialog);
      await stranger.say({ type: "ping" });
      await stranger.hears("pong");
    },
  };
  for (const [what, attack] of Object.entries(attacks)) {
    check(what, async (house) => {
      const [server, client] = [await house.peer(), await house.peer()];
      const [far, near, close] = await connect(server, client);
      const stranger = await new Stranger(await house.socket()).enter();
      await attack(stranger);
      await converse(near, far);
      await Promise.all([server.echo(), client.echo()]);
      await close();
    });
  }
});

/** Has a stranger open a dialog with itself, and ask on both sides for it to be relayed: the numbers of the two. */
async function ownChannel(stranger: Stranger): Promise<[number, number]> {
  await stranger.say({ type: "enrol", request: 1, salt: "AAAAAAAAAAAAAAAAAAAAAA", transportType: "test" });
  const { uid } = await stranger.hears("registered");
  await stranger.say({ type: "open", dialog: 1, uid: uid!, transportType: "test" });
  await stranger.hears("opened");
  const { dialog } = await stranger.hears("incoming");
  for (const each of [1, Number(dialog)]) await stranger.say({ type: "relay", dialog: each });
  await stranger.hears("relay");
  return [1, Number(dialog)];
}

async function resetOf(stranger: Stranger, dialog: number): Promise<void> {
  const isReset = (frame: Uint8Array): boolean =>
    new DataView(frame.buffer, frame.byteOffset).getInt32(0) === dialog && frame[4] === KIND.reset;
  while (!stranger.relayed.some(isReset)) await stranger.news();
}
