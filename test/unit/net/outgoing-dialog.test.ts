import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { crypto } from "#platform";
import { LocalHub, LocalSignaling } from "../../../signaling/local/index.ts";
import { seededRandom } from "../../../src/base/random.ts";
import type { Dialog, SignalingAddress } from "../../../src/contract/dialog.ts";
import type { Json } from "../../../src/contract/endpoint.ts";
import { IncomingDialogs } from "../../../src/net/incoming-dialogs.ts";
import { openDialog } from "../../../src/net/outgoing-dialog.ts";
import { createIdentity } from "../../../src/session/identity.ts";
import { simulatedRuntime } from "../../kit/simulated-runtime.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";

const random = seededRandom(1);
const server = createIdentity(crypto, random);
const client = createIdentity(crypto, random);

/** A server that hears one dialog, and a way to open it with something to say first. */
async function parties({ sealed = true, admits = true } = {}) {
  const runtime = simulatedRuntime(new VirtualClock());
  const hub = new LocalHub();
  const dialogs = new IncomingDialogs({
    runtime,
    security: sealed ? { identity: server, authorize: () => admits } : undefined,
  });
  let hear!: (body: Json) => void;
  const heard = new Promise<Json>((resolve) => (hear = resolve));
  const accepted: Dialog[] = [];
  const { address } = await dialogs.register({
    signaling: new LocalSignaling({ hub }),
    transportType: "t",
    accept(dialog) {
      accepted.push(dialog);
      dialog.attach({ onSignal: hear, onClose() {} });
    },
    onLost: assert.fail,
  });
  const signaling = new LocalSignaling({ hub });
  const open = (first: () => Json): Promise<Dialog> => {
    const endpoint = { transportType: "t", transportInfo: address, publicKey: server.publicKey };
    const security = sealed ? { identity: client, allowUnknownPeer: false } : undefined;
    const { signal } = new AbortController();
    const options = { runtime, security, dialPolicy: undefined, endpoint, signal };
    return openDialog(options, [signaling, address as SignalingAddress, "t", first]);
  };
  return { open, heard, accepted };
}

describe("what is said first in a dialog", () => {
  for (const [words, length] of [
    ["goes along with the handshake if it is short", 10],
    ["follows the handshake if it is long", 5_000],
  ] as const) {
    it(words, async () => {
      const { open, heard } = await parties();
      await open(() => "x".repeat(length));
      assert.equal(await heard, "x".repeat(length));
    });
  }

  it("is the first body of a dialog that is not sealed", async () => {
    const { open, heard } = await parties({ sealed: false });
    await open(() => ({ plain: true }));
    assert.deepEqual(await heard, { plain: true });
  });

  it("is heard by nobody who does not admit the opener", async () => {
    const { open, accepted } = await parties({ admits: false });
    await assert.rejects(
      open(() => "secret"),
      { code: "ERR_1TP_PEER_REFUSED", phase: "signal" },
    );
    assert.deepEqual(accepted, []);
  });

  it("leaves no dialog behind when it cannot be said", async () => {
    const { open, accepted } = await parties({ sealed: false });
    await assert.rejects(
      open(() => {
        throw new Error("no words");
      }),
      /no words/,
    );
    await setImmediate();
    await assert.rejects(accepted[0]!.send("anybody?"), { code: "ERR_STREAM_DESTROYED" });
  });
});
