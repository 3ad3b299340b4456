import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createIdentity, createServer, Socket } from "1tp";
import { crypto, runtime } from "#platform";
import { IntroducerSignaling, type IntroducingSocket } from "../../../signaling/introducer/index.ts";
import { codeOf } from "../../../src/base/errors.ts";
import { deriveUid } from "../../../src/base/uid.ts";
import type { SignalingAddress } from "../../../src/contract/dialog.ts";
import { StunPort } from "../../../src/host/stun-port.ts";
import { MemoryTransport } from "../../../transports/memory/index.ts";
import { TcpTransport } from "../../../transports/tcp/index.ts";
import { UdpTransport } from "../../../transports/udp/index.ts";
import { assertNothingLeft } from "../../kit/leaks.ts";
import { DialogProbe } from "../dialog-probe.ts";
import { House } from "./house.ts";

type HouseTest = (house: House) => Promise<void>;

/** A test after which nothing is left open. */
function check(fact: string, body: HouseTest, ...given: Parameters<typeof House.open>): void {
  test(fact, { timeout: 30_000 }, () =>
    assertNothingLeft(async () => {
      const house = await House.open(...given);
      try {
        await body(house);
      } finally {
        await house.close();
      }
    }),
  );
}

function rejectsWith(code: string, promise: Promise<unknown>): Promise<void> {
  return assert.rejects(promise, (error) => {
    assert.equal(codeOf(error), code, String(error));
    return true;
  });
}

describe("an introducing server", () => {
  check("joins two of its clients, and sees both", async (house) => {
    const [server, client] = [await house.peer(), await house.peer()];
    const near = await client.open(await server.register());
    const far = await server.accepted();
    await near.dialog.send("hello");
    assert.deepEqual(await far.received(1), ["hello"]);
    assert.deepEqual([near.dialog.observedAddress, far.dialog.observedAddress], ["127.0.0.1", "127.0.0.1"]);
    assert.equal(near.dialog.relay, undefined);
  });

  check(
    "says nothing of where its clients are when it does not see it",
    async (house) => {
      const [server, client] = [await house.peer(), await house.peer()];
      const near = await client.open(await server.register());
      assert.deepEqual(
        [near.dialog.observedAddress, (await server.accepted()).dialog.observedAddress],
        [undefined, undefined],
      );
      assert.deepEqual(await client.signaling.services(), { stun: [], turn: [], observedAddress: undefined });
    },
    {},
    () => new MemoryTransport(),
  );

  check("leaves the bytes of its clients' connections alone", async (house) => {
    const [server, client] = [await house.peer(), await house.peer()];
    const near = await client.open(await server.register());
    const far = await server.accepted();
    const words = "0123456789abcdef".repeat(2 ** 16);
    const echoes = [server.echo(words), client.echo(words)];
    for (let i = 0; i < 50; i++) await near.dialog.send([i, "x".repeat(1_000)]);
    await far.received(50);
    await Promise.all(echoes);
    assert.equal(client.socket.bytesWritten, words.length);
  });

  check("needs sessions", async () => {
    assert.throws(() => createServer([new TcpTransport()], { introduce: true, security: "none" }), {
      code: "ERR_INVALID_ARG_VALUE",
    });
    assert.throws(() => createServer([new TcpTransport()], { introduce: 1 as unknown as boolean }), {
      code: "ERR_INVALID_ARG_TYPE",
    });
  });

  check(
    "answers STUN on its UDP port, and tells its clients where",
    async (house) => {
      const client = await house.peer();
      const { stun, observedAddress } = await client.signaling.services();
      const { port } = house.server.address()![0]!.transportInfo;
      assert.deepEqual([stun, observedAddress], [[`stun:127.0.0.1:${port}`], "127.0.0.1"]);
      const socket = await runtime.bindDatagram!({ address: "127.0.0.1" });
      const asking = new StunPort(socket, runtime);
      socket.attach(asking);
      try {
        const mapped = await asking.requests.binding({ address: "127.0.0.1", port: Number(port) });
        assert.deepEqual(mapped, socket.local);
      } finally {
        asking.close();
        socket.close();
      }
    },
    {},
    () => new UdpTransport(),
  );
});

describe("signaling through an introducer", () => {
  check("names it by its key, and knows others' addresses from its own", async (house) => {
    const other = await House.open();
    try {
      const [here, there] = [await house.peer(), await other.peer()];
      const [address, elsewhere] = [await here.register(), await there.register()];
      assert.equal(address.introducer, house.server.address()![0]!.publicKey);
      assert.deepEqual(
        [address, elsewhere].map((each) => here.signaling.accepts(each)),
        [true, false],
      );
      await rejectsWith("ERR_1TP_BAD_ADDRESS", here.signaling.open(elsewhere, "test"));
      for (const introducer of [undefined, 5, "", "x".repeat(43), `${address.introducer}A`]) {
        assert.equal(here.signaling.accepts({ ...address, introducer } as SignalingAddress), false);
      }
    } finally {
      await other.close();
    }
  });

  check("waits for its socket to connect, and only then knows whose address it is", async (house) => {
    const server = await house.peer();
    const address = await server.register();
    const wrong = { ...address, introducer: createIdentity().publicKey };
    const info = house.server.address()!;
    const socket = new Socket([new TcpTransport()]).connect(info);
    const signaling = new IntroducerSignaling(socket);
    assert.deepEqual(
      [address, wrong].map((each) => signaling.accepts(each)),
      [true, true],
    );
    const refused = rejectsWith("ERR_1TP_BAD_ADDRESS", signaling.open(wrong, "test"));
    const near = new DialogProbe(await signaling.open(address, "test"));
    await refused;
    assert.equal(signaling.accepts(wrong), false);
    near.dialog.close();
    await signaling.close();
    socket.destroy();
    await once(socket, "close");
  });

  check("fails with its socket's dial, and without a connection or a session", async () => {
    const gone = new Socket([new TcpTransport()], { allowUnknownPeer: true });
    gone
      .connect({ transportType: "tcp", transportInfo: { address: "127.0.0.1", port: 9 } })
      .on("error", () => {});
    const options = { transportType: "test", onDialog() {} };
    await rejectsWith("ENOTCONN", new IntroducerSignaling(gone).register(options));
    await rejectsWith("ENOTCONN", new IntroducerSignaling(new Socket()).register(options));
    for (const wrong of [undefined, null, {}, "socket"]) {
      assert.throws(() => new IntroducerSignaling(wrong as unknown as IntroducingSocket), {
        code: "ERR_INVALID_ARG_TYPE",
      });
    }
    const server = createServer([new TcpTransport()], { security: "none" }, (socket) => socket.resume());
    const plain = await new Socket([new TcpTransport()], { security: "none" }).connectP(
      await server.listenP(),
    );
    await rejectsWith("ERR_1TP_UNSUPPORTED", new IntroducerSignaling(plain).register(options));
    plain.destroy();
    await server.closeP();
  });

  check(
    "to a server that does not introduce fails after 5 s",
    async (house) => {
      const client = await house.peer();
      const began = performance.now();
      await rejectsWith("ETIMEDOUT", client.register());
      const took = performance.now() - began;
      assert.ok(took > 4_900, `${took} ms`);
      await client.echo();
    },
    { introduce: false },
  );

  check("gives the uid of the socket's key alone", async (house) => {
    const client = await house.peer();
    const [other, salt] = [createIdentity(), new Uint8Array(16).fill(5)];
    const options = { transportType: "test", salt, onDialog() {} };
    await rejectsWith(
      "ERR_1TP_SIGNALING_REFUSED",
      client.signaling.register({ ...options, keyPair: other.keyPair }),
    );
    const registration = await client.signaling.register(options);
    assert.equal(registration.address.uid, deriveUid(crypto, client.identity.keyPair.publicKey, salt));
    registration.close();
    await rejectsWith("ERR_1TP_PEER_OFFLINE", client.open(registration.address as SignalingAddress));
  });

  check("ends registrations and dialogs with a code when the socket closes", async (house) => {
    const [server, client] = [await house.peer(), await house.peer()];
    const near = await client.open(await server.register());
    const far = await server.accepted();
    server.socket.destroy();
    assert.equal(codeOf(await near.closed()), "ECONNRESET");
    assert.equal(codeOf(await far.closed()), "ECONNRESET");
    while (server.losses.length === 0) await setImmediate();
    assert.deepEqual(server.losses.map(codeOf), ["ECONNRESET"]);
    await rejectsWith("ENOTCONN", server.register());
    await client.echo();
  });

  check("ends in the same way when the introducer dies, though nobody reads the socket", async (house) => {
    const server = await house.peer();
    await server.register();
    const near = await server.open((await server.register()) as SignalingAddress);
    server.socket.pause();
    server.socket.resetAndDestroy();
    assert.equal(codeOf(await near.closed()), "ECONNRESET");
    while (server.losses.length < 2) await setImmediate();
  });

  check("is taken over by a newer one on the same socket", async (house) => {
    const server = await house.peer();
    await server.register();
    const newer = new IntroducerSignaling(server.socket);
    await newer.register({ transportType: "test", onDialog() {} });
    while (server.losses.length === 0) await setImmediate();
    assert.equal(codeOf(server.losses[0]), "ECONNRESET");
    await newer.close();
    await server.echo();
  });

  check("leaves the socket as it is when it is closed, and can be had anew", async (house) => {
    const server = await house.peer();
    const address = await server.register();
    await server.signaling.close();
    await server.echo();
    assert.deepEqual(server.losses, []);
    const client = await house.peer();
    await rejectsWith("ERR_1TP_PEER_OFFLINE", client.open(address));
    const again = new IntroducerSignaling(server.socket);
    await again.register({ transportType: "test", onDialog() {} });
  });
});

describe("signaling through an introducer that is connected to anew", () => {
  /** A signaling that connects by itself, one registration of it, and what it went through. */
  async function renewing(house: House, identity = createIdentity()) {
    const sockets: Socket[] = [];
    const accepted: DialogProbe[] = [];
    const losses: Error[] = [];
    const signaling = new IntroducerSignaling(() => {
      const socket = new Socket([new TcpTransport()], { identity }).connect(house.info);
      sockets.push(socket);
      return socket;
    });
    const registration = await signaling.register({
      transportType: "test",
      onDialog: (dialog) => accepted.push(new DialogProbe(dialog)),
      onClose: (error) => losses.push(error),
    });
    return { signaling, registration, sockets, accepted, losses };
  }

  check("has the same uids after it was lost, again and again", async (house) => {
    const { signaling, registration, sockets, accepted, losses } = await renewing(house);
    const client = await house.peer();
    const address = registration.address as SignalingAddress;
    for (let round = 1; round <= 3; round++) {
      const near = await house.reach(client, address);
      while (accepted.length < round) await setImmediate();
      await near.dialog.send(round);
      assert.deepEqual(await accepted.at(-1)!.received(1), [round]);
      const back = once(house.server, "connection");
      sockets.at(-1)!.resetAndDestroy();
      assert.equal(codeOf(await near.closed()), "ECONNRESET");
      await back;
    }
    await house.reach(client, address);
    assert.deepEqual([losses, sockets.length], [[], 4]);
    await signaling.close();
    await rejectsWith("ERR_1TP_PEER_OFFLINE", client.open(address));
    await rejectsWith("ERR_STREAM_DESTROYED", signaling.services());
    assert.ok(sockets.every(({ destroyed }) => destroyed));
  });

  check("survives a server that dies and comes back, and learns that it is another one", async (house) => {
    const { signaling, registration, losses } = await renewing(house);
    const address = registration.address as SignalingAddress;
    await house.restart();
    await once(house.server, "connection");
    await house.reach(await house.peer(), address);
    assert.deepEqual(losses, []);
    await house.restart(createIdentity());
    while (losses.length === 0) await setImmediate();
    assert.match(codeOf(losses[0])!, /^ERR_1TP_(SIGNALING_REFUSED|PEER_MISMATCH)$/);
    await signaling.close();
  });

  check("is connected when it is used, and not anew while it is not", async (house) => {
    const { signaling, registration, sockets } = await renewing(house);
    registration.close();
    sockets[0]!.destroy();
    await once(sockets[0]!, "close");
    assert.equal(sockets.length, 1);
    assert.equal((await signaling.services()).observedAddress, "127.0.0.1");
    assert.equal(sockets.length, 2);
    await signaling.close();
  });
});
