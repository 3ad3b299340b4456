import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { createIdentity, createServer, Socket } from "1tp";
import { Scene } from "./scene.ts";
import { isSignaled, TIMELESS_WIRES, WIRES, type Wire } from "./wires.ts";

const sceneOf = (t: TestContext, wire: Wire): Scene => new Scene(t, wire, wire.place);

for (const wire of WIRES.filter((each) => !isSignaled(each))) {
  describe(`security 'noise' meets 'none' over ${wire.word}`, () => {
    test("a plain client that speaks is cut off by a secure server, which sees no connection", async (t) => {
      const scene = sceneOf(t, wire);
      const stand = await scene.serve();
      for (const words of ["GET / HTTP/1.0\r\n\r\n", "\0", "\xff".repeat(5000)]) {
        const visitor = scene.dial(stand.info, { security: "none" });
        visitor.socket.write(words, "latin1");
        const events = await visitor.gone();
        assert.equal(events[0], "connect");
        assert.ok(visitor.heard === "" || visitor.heard === "\0\0\x01", visitor.heard);
      }
      assert.equal(stand.visitors.length, 0);
    });

    test("a secure client of a plain server that answers is told so", async (t) => {
      const scene = sceneOf(t, wire);
      const { publicKey } = createIdentity();
      const stand = await scene.serve({ security: "none" }, (socket) =>
        socket.end("220 welcome to plain text\r\n"),
      );
      const info = stand.info.map((entry) => ({ ...entry, publicKey }));
      const visitor = scene.dial(info);
      const failed = new Promise<Error>((resolve) => visitor.socket.once("error", resolve));
      assert.deepEqual(await visitor.gone(), ["error ERR_1TP_HANDSHAKE_FAILED", "close"]);
      assert.match((await failed).message, /does not speak 1tp, or has security 'none'/);
    });
  });
}

for (const wire of TIMELESS_WIRES.filter((each) => !isSignaled(each))) {
  describe(`security 'noise' meets 'none' over ${wire.word}`, () => {
    test("a plain client that waits is cut off at the deadline", async (t) => {
      const place = wire.timeless();
      const scene = new Scene(t, wire, place);
      await place.run(async () => {
        const stand = await scene.serve();
        const visitor = scene.dial(stand.info, { security: "none" });
        await visitor.hearsOf("connect");
        await place.pass(100);
        assert.equal(visitor.closed, false);
        await place.pass(15_000);
        const events = await visitor.gone();
        assert.deepEqual(events.slice(0, 1), ["connect"]);
        assert.equal(visitor.heard, "");
        assert.equal(stand.visitors.length, 0);
      });
    });

    test("a secure client of a plain server that is silent times out in the handshake", async (t) => {
      const place = wire.timeless();
      const scene = new Scene(t, wire, place);
      await place.run(async () => {
        const { publicKey } = createIdentity();
        const stand = await scene.serve({ security: "none" }, (socket) => void socket.resume());
        const info = stand.info.map((entry) => ({ ...entry, publicKey }));
        const visitor = scene.dial(info);
        await (await stand.visitor()).hearsAnything();
        await place.pass(5000);
        assert.deepEqual(await visitor.gone(), ["error ETIMEDOUT", "close"]);
        assert.equal(visitor.socket.report[0]!.phase, "handshake");
      });
    });
  });
}

for (const wire of TIMELESS_WIRES.filter(isSignaled)) {
  describe(`security 'noise' meets 'none' over ${wire.word}, where dialogs come first`, () => {
    test("a plain client gets no dialog with a secure server, which sees no connection", async (t) => {
      const place = wire.timeless();
      const scene = new Scene(t, wire, place);
      await place.run(async () => {
        const stand = await scene.serve();
        const visitor = scene.dial(stand.info, { security: "none" });
        visitor.socket.write("GET / HTTP/1.0\r\n\r\n");
        await place.pass(20_000);
        assert.deepEqual(await visitor.gone(), ["error ETIMEDOUT", "close"]);
        assert.equal(stand.visitors.length, 0);
      });
    });

    test("a secure client gets no dialog with a plain server", async (t) => {
      const place = wire.timeless();
      const scene = new Scene(t, wire, place);
      await place.run(async () => {
        const { publicKey } = createIdentity();
        const stand = await scene.serve({ security: "none" }, (socket) => {
          socket.on("error", () => {}).write("220 welcome to plain text\r\n");
        });
        const visitor = scene.dial(stand.info.map((entry) => ({ ...entry, publicKey })));
        await place.pass(20_000);
        // Over relay the server leaves a dialog in which it is not asked to join.
        const code = wire.word === "relay" ? "ECONNRESET" : "ETIMEDOUT";
        assert.deepEqual(await visitor.gone(), [`error ${code}`, "close"]);
        assert.equal(visitor.socket.report[0]!.phase, "signal");
        assert.equal(visitor.heard, "");
      });
    });
  });
}

for (const wire of WIRES) {
  describe(`security 'none' over ${wire.word}`, () => {
    test("names no key, so that a secure client does not even dial", async (t) => {
      const scene = sceneOf(t, wire);
      const stand = await scene.serve({ security: "none" });
      assert.equal(
        stand.info.some((entry) => "publicKey" in entry),
        false,
      );
      const visitor = scene.dial(stand.info);
      assert.deepEqual(await visitor.gone(), ["error ERR_1TP_PEER_UNKNOWN", "close"]);
      assert.equal(stand.visitors.length, 0);
    });
  });
}

test("who would be asked without a proof is refused at once", () => {
  for (const options of [{ authorize: () => true }, { allowedPeers: [] }]) {
    assert.throws(() => createServer({ ...options, security: "none" }), { code: "ERR_INVALID_ARG_VALUE" });
  }
});

test("wrong options are refused at once", () => {
  const wrong: readonly [object, string][] = [
    [{ security: "tls" }, "ERR_INVALID_ARG_VALUE"],
    [{ security: true }, "ERR_INVALID_ARG_VALUE"],
    [{ identity: createIdentity().publicKey }, "ERR_INVALID_ARG_TYPE"],
    [{ identity: { publicKey: createIdentity().publicKey } }, "ERR_INVALID_ARG_TYPE"],
  ];
  for (const [options, code] of wrong) {
    assert.throws(() => createServer(options), { code });
    assert.throws(() => new Socket(null, options), { code });
  }
  assert.throws(() => createServer({ authorize: true } as object), { code: "ERR_INVALID_ARG_TYPE" });
  assert.throws(() => createServer({ allowedPeers: "x" } as object), { code: "ERR_INVALID_ARG_TYPE" });
  assert.throws(() => createServer({ allowedPeers: ["x"] }), { code: "ERR_INVALID_ARG_VALUE" });
  assert.throws(() => new Socket(null, { allowUnknownPeer: 1 } as object), { code: "ERR_INVALID_ARG_TYPE" });
});
