import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { type ConnectionInfo, createIdentity } from "1tp";
import { crypto } from "#platform";
import { codeOf, OnetpError } from "../../../src/base/errors.ts";
import { deriveUid } from "../../../src/base/uid.ts";
import { withoutKeys } from "../security/scene.ts";
import type { Witness } from "../security/witness.ts";
import { Carrier, converse, SERVICES } from "./carrier.ts";

function withKey(info: ConnectionInfo, publicKey: string): ConnectionInfo {
  return info.map((entry) => ({ ...entry, publicKey }));
}

/** The code of a dial that failed in phase `signal`, by its one attempt and its error. */
async function refusal(client: Witness): Promise<string | undefined> {
  await client.gone();
  const [attempt] = client.socket.report;
  assert.equal(attempt?.phase, "signal");
  assert.ok(attempt.error instanceof OnetpError);
  assert.equal(attempt.error.phase ?? "signal", "signal");
  assert.deepEqual(client.errors, [codeOf(attempt.error)]);
  return codeOf(attempt.error);
}

for (const service of SERVICES) {
  describe(`a dialog over ${service.word} signaling`, () => {
    test("leads to a session between the keys that sealed it", async (t) => {
      const carrier = await Carrier.start(t, service);
      const [us, them] = [createIdentity(), createIdentity()];
      const { info, visitors, transport } = await carrier.serve({ identity: them });
      const socket = await converse(carrier.dial(info, { identity: us }));
      assert.equal(socket.remotePublicKey, them.publicKey);
      assert.equal(visitors[0]!.socket.remotePublicKey, us.publicKey);
      assert.deepEqual([socket.report[0]!.outcome, socket.report[0]!.phase], ["won", "handshake"]);
      assert.equal(transport.accepted.length, 1);
    });

    test("shows no body to who carries it", async (t) => {
      const carrier = await Carrier.start(t, service);
      const { info } = await carrier.serve();
      await converse(carrier.dial(info));
      assert.ok(carrier.meddling.seen.length >= 4);
      for (const body of carrier.meddling.seen) {
        assert.ok(
          ["c,n", "hs", "hs,id"].includes(
            Object.keys(body as object)
              .sort()
              .join(),
          ),
        );
      }
      assert.doesNotMatch(carrier.seen, /where/);
    });

    test("is plain with security 'none' on both sides", async (t) => {
      const carrier = await Carrier.start(t, service);
      const { info } = await carrier.serve({ security: "none" });
      const socket = await converse(carrier.dial(info, { security: "none" }));
      assert.equal(socket.remotePublicKey, undefined);
      assert.equal(carrier.meddling.seen[0], "where");
    });

    test("comes in under a uid of the server's key, a new one for every listen", async (t) => {
      const carrier = await Carrier.start(t, service);
      const { server, info, transport } = await carrier.serve();
      server.close();
      assert.equal(await refusal(carrier.dial(info)), "ERR_1TP_PEER_OFFLINE");
      const again = await server.listenP();
      assert.notEqual(again[0]!.transportInfo.uid, info[0]!.transportInfo.uid);
      assert.equal(again[0]!.publicKey, info[0]!.publicKey);
      await converse(carrier.dial(again));
      assert.equal(transport.accepted.length, 1);
    });

    test("does not open to a key that the server does not hold", async (t) => {
      const carrier = await Carrier.start(t, service);
      const { info, transport } = await carrier.serve();
      const client = carrier.dial(withKey(info, createIdentity().publicKey));
      assert.equal(await refusal(client), "ERR_1TP_PEER_MISMATCH");
      assert.equal(transport.accepted.length, 0);
    });

    test("is not even begun without a key, unless whoever answers will do", async (t) => {
      const carrier = await Carrier.start(t, service);
      const { info } = await carrier.serve();
      assert.equal(await refusal(carrier.dial(withoutKeys(info))), "ERR_1TP_PEER_UNKNOWN");
      assert.deepEqual(carrier.meddling.seen, []);
      const socket = await converse(carrier.dial(withoutKeys(info), { allowUnknownPeer: true }));
      assert.equal(socket.remotePublicKey, info[0]!.publicKey);
    });

    test("is refused before the transport sees a client who may not come in", async (t) => {
      const carrier = await Carrier.start(t, service);
      const [friend, stranger] = [createIdentity(), createIdentity()];
      const asked: string[] = [];
      const { info, transport } = await carrier.serve({
        allowedPeers: [friend.publicKey],
        authorize(publicKey) {
          asked.push(publicKey);
          return Promise.resolve(true);
        },
      });
      assert.equal(await refusal(carrier.dial(info, { identity: stranger })), "ERR_1TP_PEER_REFUSED");
      assert.deepEqual([transport.accepted.length, asked], [0, []]);
      await converse(carrier.dial(info, { identity: friend }));
      // Once for the dialog, once for the session.
      assert.deepEqual(asked, [friend.publicKey, friend.publicKey]);
    });

    test("leaves nothing when its dial is given up, at whatever step", async (t) => {
      const carrier = await Carrier.start(t, service);
      const { info, visitors } = await carrier.serve();
      let connected = 0;
      for (let steps = 0; steps < 40; steps++) {
        const client = carrier.dial(info);
        for (let i = 0; i < steps && !client.events.includes("connect"); i++) await setImmediate();
        if (client.events.includes("connect")) connected++;
        client.socket.destroy();
        await client.gone();
      }
      await converse(carrier.dial(info));
      assert.ok(visitors.length <= connected + 1, `${visitors.length} of ${connected}`);
    });
  });
}

test("a uid is that of the server's key and of a salt that nobody is told", async (t) => {
  const carrier = await Carrier.start(t, SERVICES[0]!);
  const identity = createIdentity();
  const { info } = await carrier.serve({ identity });
  const { uid } = info[0]!.transportInfo;
  assert.notEqual(uid, deriveUid(crypto, identity.keyPair.publicKey, new Uint8Array(16)));
  assert.match(String(uid), /^[0-9a-f]{32}$/);
});
