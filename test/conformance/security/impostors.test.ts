import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, type TestContext, test } from "node:test";
import { type ConnectionInfo, createIdentity, type OnetpError, type Transport } from "1tp";
import type { Channel } from "../../../src/contract/channel.ts";
import { inHands } from "./hands.ts";
import { Scene, withoutKeys } from "./scene.ts";
import { isSignaled, WIRES, type Wire } from "./wires.ts";

const sceneOf = (t: TestContext, wire: Wire): Scene => new Scene(t, wire, wire.place);

/** The entries of one server under the key of another. */
function claiming(info: ConnectionInfo, { publicKey }: { readonly publicKey: string }): ConnectionInfo {
  return info.map((entry) => ({ ...entry, publicKey }));
}

/**
 * Somebody without any key who answers each channel in his own way. Where dialogs lead to the server alone, he is
 * whoever carries the channel. Gives what to dial, and with what.
 */
async function pretender(scene: Scene, answer: (channel: Channel, hello: Uint8Array) => void) {
  const transport = scene.transport();
  const onChannel = (channel: Channel): void => {
    scene.after(() => channel.abort());
    const sink = { onDrain() {}, onEnd() {}, onClose() {} };
    channel.attach({ ...sink, onData: (hello) => answer(channel, hello) });
  };
  if (transport.traits.signaled) {
    const { info } = await scene.serve();
    const transports = [
      inHands(transport, (near, far) => {
        scene.after(() => far.abort());
        onChannel(near);
      }),
    ];
    return { info, transports };
  }
  const { server: runtime, listeningInfo } = scene.place;
  const listener = await transport.listen!({
    ...{ runtime, listeningInfo, onChannel },
    exclusive: false,
    onError: assert.fail,
  });
  scene.after(() => void listener.close());
  return { info: claiming(listener.endpoints, createIdentity()), transports: [scene.transport()] };
}

/** A transport that counts how often it was asked to dial. */
function counting(transport: Transport): Transport & { dials: number } {
  const { type, traits, connectTimeout } = transport;
  return {
    ...{ type, traits, connectTimeout, dials: 0 },
    accepts: (endpoint) => transport.accepts(endpoint),
    dial(endpoint, context) {
      this.dials++;
      return transport.dial(endpoint, context);
    },
  };
}

for (const wire of WIRES) {
  describe(`a client over ${wire.word}`, () => {
    test("knows the server by its key, and the server knows the client", async (t) => {
      const scene = sceneOf(t, wire);
      const [host, guest] = [createIdentity(), createIdentity()];
      const stand = await scene.serve({ identity: host });
      const visitor = scene.dial(stand.info, { identity: guest });
      visitor.socket.write("hello");
      await visitor.hears("hello");
      assert.equal(visitor.socket.remotePublicKey, host.publicKey);
      assert.equal((await stand.visitor()).socket.remotePublicKey, guest.publicKey);
    });

    test("refuses a server with another key, which sees no connection", async (t) => {
      const scene = sceneOf(t, wire);
      const stand = await scene.serve({ identity: createIdentity() });
      const visitor = scene.dial(claiming(stand.info, createIdentity()));
      assert.deepEqual(await visitor.gone(), ["error ERR_1TP_PEER_MISMATCH", "close"]);
      const [attempt] = visitor.socket.report;
      assert.equal((attempt!.error as OnetpError).code, "ERR_1TP_PEER_MISMATCH");
      assert.equal(attempt!.phase, isSignaled(wire) ? "signal" : "handshake");
      assert.equal(stand.visitors.length, 0);
    });

    test("tries the next endpoint after a server with another key", async (t) => {
      const scene = sceneOf(t, wire);
      const identity = createIdentity();
      const impostor = await scene.serve({ identity: createIdentity() });
      const stand = await scene.serve({ identity });
      for (const scheduler of ["sequential", "staggered", "parallel"] as const) {
        const visitor = scene.dial(claiming([...impostor.info, ...stand.info], identity), { scheduler });
        visitor.socket.write(scheduler);
        assert.equal(await visitor.hears(scheduler), scheduler);
        assert.equal(visitor.socket.remotePublicKey, identity.publicKey);
        assert.deepEqual(visitor.errors, []);
      }
      assert.equal(impostor.visitors.length, 0);
      assert.equal(stand.visitors.length, 3);
    });

    test("refuses whoever answers without the secret, whatever he answers", async (t) => {
      const scene = sceneOf(t, wire);
      const answers: Record<string, (hello: Uint8Array) => Uint8Array> = {
        "its own hello": (hello) => hello,
        "a random message": () => Buffer.concat([Buffer.of(0, 48), randomBytes(48)]),
        "a random message of another length": () => Buffer.concat([Buffer.of(0, 200), randomBytes(200)]),
        "a key of low order": () => Buffer.concat([Buffer.of(0, 48), Buffer.alloc(48)]),
        "more than a handshake has": () => Buffer.concat([Buffer.of(0xff, 0xff), randomBytes(70_000)]),
        "that it speaks another version": () => Buffer.of(0, 0, 1),
        "that it cannot read it": () => Buffer.of(0, 0, 2),
        "an alert nobody knows": () => Buffer.of(0, 0, 99),
      };
      for (const [what, answer] of Object.entries(answers)) {
        const { info, transports } = await pretender(scene, (channel, hello) => {
          channel.write(answer(hello));
        });
        const visitor = scene.dial(info, {}, transports);
        const events = await visitor.gone();
        assert.match(events[0]!, /^error ERR_1TP_(PEER_MISMATCH|HANDSHAKE_FAILED)$/, what);
        assert.deepEqual(events.slice(1), ["close"], what);
      }
    });

    test("is told at once when the other side closes instead of answering", async (t) => {
      const scene = sceneOf(t, wire);
      for (const close of ["end", "abort"] as const) {
        const { info, transports } = await pretender(scene, (channel) => channel[close]());
        const visitor = scene.dial(info, {}, transports);
        assert.deepEqual(await visitor.gone(), ["error ERR_1TP_HANDSHAKE_FAILED", "close"]);
      }
    });

    test("dials no entry without a key, and says what to do", async (t) => {
      const scene = sceneOf(t, wire);
      const stand = await scene.serve();
      const transport = counting(scene.transport());
      const visitor = scene.dial(withoutKeys(stand.info), {}, [transport]);
      const failed = new Promise<Error>((resolve) => visitor.socket.once("error", resolve));
      assert.deepEqual(await visitor.gone(), ["error ERR_1TP_PEER_UNKNOWN", "close"]);
      assert.match((await failed).message, /server\.address\(\).*allowUnknownPeer/);
      assert.equal(transport.dials, 0);
      assert.equal(stand.visitors.length, 0);
    });

    test("that allows an unknown peer learns who it is", async (t) => {
      const scene = sceneOf(t, wire);
      const [host, guest] = [createIdentity(), createIdentity()];
      const stand = await scene.serve({ identity: host });
      const visitor = scene.dial(withoutKeys(stand.info), { allowUnknownPeer: true, identity: guest });
      visitor.socket.write("hello");
      await visitor.hears("hello");
      assert.equal(visitor.socket.remotePublicKey, host.publicKey);
      assert.equal((await stand.visitor()).socket.remotePublicKey, guest.publicKey);
    });

    test("that allows an unknown peer still refuses another one than the entry names", async (t) => {
      const scene = sceneOf(t, wire);
      const stand = await scene.serve();
      const visitor = scene.dial(claiming(stand.info, createIdentity()), { allowUnknownPeer: true });
      assert.deepEqual(await visitor.gone(), ["error ERR_1TP_PEER_MISMATCH", "close"]);
      assert.equal(stand.visitors.length, 0);
    });

    test("is not led to an unknown peer by an entry whose key was taken away", async (t) => {
      const scene = sceneOf(t, wire);
      const impostor = await scene.serve({ identity: createIdentity() });
      const stand = await scene.serve();
      const info = [...withoutKeys(impostor.info), ...stand.info];
      for (const allowUnknownPeer of [false, true]) {
        const visitor = scene.dial(info, { allowUnknownPeer, scheduler: "sequential" });
        visitor.socket.write("hello");
        await visitor.hears("hello");
        assert.equal(visitor.socket.remotePublicKey, stand.info[0]!.publicKey);
        assert.equal((visitor.socket.report[0]!.error as OnetpError).code, "ERR_1TP_PEER_UNKNOWN");
      }
      assert.equal(impostor.visitors.length, 0);
    });

    test("dials nothing where the entries name different keys", async (t) => {
      const scene = sceneOf(t, wire);
      const stand = await scene.serve();
      const transport = counting(scene.transport());
      const info = [...stand.info, ...claiming(stand.info, createIdentity())];
      const visitor = scene.dial(info, {}, [transport]);
      assert.deepEqual(await visitor.gone(), ["error ERR_1TP_BAD_ADDRESS", "close"]);
      assert.equal(transport.dials, 0);
    });

    test("dials nothing whose key is none", async (t) => {
      const scene = sceneOf(t, wire);
      const stand = await scene.serve();
      const transport = counting(scene.transport());
      // Of low order: every secret agrees with it on zeros.
      const lowOrder = { publicKey: Buffer.alloc(32).toString("base64url") };
      for (const key of [lowOrder, { publicKey: "short" }, { publicKey: `${"A".repeat(42)}=` }]) {
        const visitor = scene.dial(claiming(stand.info, key), {}, [transport]);
        assert.deepEqual(await visitor.gone(), ["error ERR_1TP_BAD_ADDRESS", "close"]);
      }
      assert.equal(transport.dials, 0);
    });
  });
}
