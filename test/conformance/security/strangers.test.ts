import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { createIdentity, type ServerOptions } from "1tp";
import { connections, Scene, type Stand, withoutKeys } from "./scene.ts";
import { isSignaled, TIMELESS_WIRES, WIRES, type Wire } from "./wires.ts";

const sceneOf = (t: TestContext, wire: Wire): Scene => new Scene(t, wire, wire.place);
const guest = createIdentity();

/** A server was never told of anybody. */
async function assertUnseen({ server, visitors }: Stand): Promise<void> {
  assert.equal(visitors.length, 0);
  assert.equal(await connections(server), 0);
}

/** Ways of not saying yes. */
const REFUSALS: Readonly<Record<string, ServerOptions>> = {
  "authorize that says false": { authorize: () => false },
  "authorize that promises false": { authorize: async () => false },
  "authorize that says yes, but not true": { authorize: () => "yes" as unknown as boolean },
  "authorize that promises 1": { authorize: async () => 1 as unknown as boolean },
  "authorize that says nothing": { authorize: () => undefined as unknown as boolean },
  "authorize that admits its own key only": {
    authorize: (key) => key === createIdentity().publicKey,
  },
  "allowedPeers that are none": { allowedPeers: [] },
  "allowedPeers that are others": { allowedPeers: [createIdentity().publicKey] },
  "allowedPeers, although authorize says true": { allowedPeers: [], authorize: () => true },
  "authorize, although allowedPeers has the key": {
    allowedPeers: [guest.publicKey],
    authorize: async () => false,
  },
};

/** Ways of saying yes. */
const ADMISSIONS: Readonly<Record<string, ServerOptions>> = {
  "authorize that says true": { authorize: () => true },
  "authorize that promises true, after a while": {
    authorize: async () => {
      await new Promise(setImmediate);
      return true;
    },
  },
  "allowedPeers with the key": { allowedPeers: [createIdentity().publicKey, guest.publicKey] },
  "both of them": { allowedPeers: [guest.publicKey], authorize: (key) => key === guest.publicKey },
};

/** Takes what would be an uncaught exception while `scene` plays. */
async function catching(scene: () => Promise<unknown>): Promise<unknown[]> {
  const caught: unknown[] = [];
  process.setUncaughtExceptionCaptureCallback((error) => void caught.push(error));
  try {
    await scene();
    await new Promise(setImmediate);
  } finally {
    process.setUncaughtExceptionCaptureCallback(null);
  }
  return caught;
}

for (const wire of WIRES) {
  describe(`a server over ${wire.word}`, () => {
    for (const [name, options] of Object.entries(REFUSALS)) {
      test(`refuses a client by ${name}`, async (t) => {
        const scene = sceneOf(t, wire);
        const stand = await scene.serve(options);
        const visitor = scene.dial(stand.info, { identity: guest });
        visitor.socket.write("let me in");
        assert.deepEqual(await visitor.gone(), ["error ERR_1TP_PEER_REFUSED", "close"]);
        await assertUnseen(stand);
      });
    }

    for (const [name, options] of Object.entries(ADMISSIONS)) {
      test(`admits a client by ${name}`, async (t) => {
        const scene = sceneOf(t, wire);
        const stand = await scene.serve(options);
        const visitor = scene.dial(stand.info, { identity: guest });
        visitor.socket.write("hello");
        await visitor.hears("hello");
        assert.equal((await stand.visitor()).socket.remotePublicKey, guest.publicKey);
      });
    }

    test("asks authorize for each connection, with the key the client has proved", async (t) => {
      const scene = sceneOf(t, wire);
      const asked: string[] = [];
      const stand = await scene.serve({ authorize: (key) => asked.push(key) > 0 });
      const guests = [guest, createIdentity(), guest];
      for (const identity of guests) {
        const visitor = scene.dial(stand.info, { identity });
        visitor.socket.write("hello");
        await visitor.hears("hello");
      }
      // Once, except that a dialog comes before the session, and may bring several of which one is taken.
      assert.deepEqual(
        isSignaled(wire) ? asked.filter((key, i) => key !== asked[i - 1]) : asked,
        guests.map(({ publicKey }) => publicKey),
      );
    });

    for (const [how, authorize] of [
      ["throws", () => assert.fail("on purpose")],
      ["rejects", () => Promise.reject(new assert.AssertionError({ message: "on purpose" }))],
    ] as const) {
      test(`refuses a client when authorize ${how}, which its owner sees`, async (t) => {
        const scene = sceneOf(t, wire);
        const stand = await scene.serve({ authorize });
        const caught = await catching(async () => {
          const visitor = scene.dial(stand.info);
          assert.deepEqual(await visitor.gone(), ["error ERR_1TP_PEER_REFUSED", "close"]);
        });
        assert.deepEqual(
          caught.map((error) => (error as Error).message),
          ["on purpose"],
        );
        await assertUnseen(stand);
      });
    }

    test("refuses a client that takes unknown servers as well", async (t) => {
      const scene = sceneOf(t, wire);
      const stand = await scene.serve({ authorize: () => false });
      const visitor = scene.dial(withoutKeys(stand.info), { allowUnknownPeer: true });
      const events = await visitor.gone();
      assert.equal(events.at(-1), "close");
      assert.deepEqual(visitor.errors, ["ERR_1TP_PEER_REFUSED"]);
      assert.equal(visitor.heard, "");
      await assertUnseen(stand);
    });
  });
}

for (const wire of TIMELESS_WIRES) {
  describe(`a server over ${wire.word}`, () => {
    test("never answered by authorize, it leaves the client waiting for its time-out alone", async (t) => {
      const place = wire.timeless();
      const scene = new Scene(t, wire, place);
      await place.run(async () => {
        let asked = (): void => undefined;
        const asking = new Promise<void>((resolve) => (asked = resolve));
        const authorize = (): Promise<boolean> => {
          asked();
          return new Promise(() => undefined);
        };
        const stand = await scene.serve({ authorize });
        const visitor = scene.dial(stand.info, { connectTimeout: 1000 });
        await asking;
        await place.pass(1000);
        assert.deepEqual(await visitor.gone(), ["error ETIMEDOUT", "close"]);
        assert.equal(visitor.socket.report[0]!.phase, isSignaled(wire) ? "signal" : "handshake");
        await assertUnseen(stand);
      });
    });
  });
}
