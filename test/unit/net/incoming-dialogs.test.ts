import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { crypto, nextTurn } from "#platform";
import { LocalHub, LocalSignaling } from "../../../signaling/local/index.ts";
import { seededRandom } from "../../../src/base/random.ts";
import type { Dialog } from "../../../src/contract/dialog.ts";
import { IncomingDialogs } from "../../../src/net/incoming-dialogs.ts";
import { createIdentity, type Identity } from "../../../src/session/identity.ts";
import { Seal } from "../../../src/session/seal.ts";
import { SealedDialog } from "../../../src/session/sealed-dialog.ts";
import { simulatedRuntime } from "../../kit/simulated-runtime.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";

const random = seededRandom(1);
const [owner, friend, stranger] = [1, 2, 3].map(() => createIdentity(crypto, random)) as [
  Identity,
  Identity,
  Identity,
];

/** A server that admits a friend, and ways to open dialogs with it. */
async function receive() {
  const clock = new VirtualClock();
  const hub = new LocalHub();
  const accepted: Dialog[] = [];
  const authorize = (publicKey: string): boolean => publicKey === friend.publicKey;
  const dialogs = new IncomingDialogs({
    runtime: simulatedRuntime(clock),
    security: { identity: owner, authorize },
  });
  const { address } = await dialogs.register({
    signaling: new LocalSignaling({ hub }),
    transportType: "t",
    accept: (dialog) => accepted.push(dialog),
    onLost: assert.fail,
  });
  const client = new LocalSignaling({ hub });
  const open = (): Promise<Dialog> => client.open(address, "t");
  /** Opens a sealed one; resolves when it is settled, or over. */
  const seal = async (identity: Identity, remote: Identity = owner): Promise<Dialog> => {
    const opener = Seal.opener("t", { crypto, random, identity, remotePublicKey: remote.publicKey });
    const plain = await open();
    return new Promise((resolve) => {
      const sealed: SealedDialog = new SealedDialog(
        plain,
        opener,
        { defer: nextTurn, onSettled: () => resolve(sealed) },
        opener.firstSignal(),
      );
    });
  };
  return { clock, dialogs, accepted, open, seal };
}

describe("dialogs that come in", () => {
  it("are seen once their opener is proved, admitted and heard", async () => {
    const { accepted, seal, dialogs } = await receive();
    const near = await seal(friend);
    assert.equal(accepted.length, 0);
    await near.send("hello");
    await setImmediate();
    assert.equal((accepted[0] as SealedDialog).remotePublicKey, friend.publicKey);
    assert.deepEqual([...dialogs.drops], []);
  });

  it("are dropped and counted by the reason otherwise", async () => {
    const { accepted, open, seal, dialogs, clock } = await receive();
    await Promise.all([seal(stranger), seal(stranger), seal(friend, stranger)]);
    (await open()).close();
    await open();
    await (await open()).send({ id: "?", hs: "?" });
    await seal(friend);
    await setImmediate();
    await clock.advanceAsync(15_000);
    assert.deepEqual(Object.fromEntries(dialogs.drops), {
      ERR_1TP_PEER_REFUSED: 2,
      ERR_1TP_HANDSHAKE_FAILED: 1,
      ECONNRESET: 1,
      ETIMEDOUT: 3,
    });
    assert.equal(accepted.length, 0);
  });

  it("are closed, and no more come, once it is closed", async () => {
    const { accepted, open, seal, dialogs, clock } = await receive();
    const near = await seal(friend);
    dialogs.close();
    await setImmediate();
    await assert.rejects(near.send("too late"), { code: "ERR_STREAM_DESTROYED" });
    await assert.rejects(open(), { code: "ERR_1TP_PEER_OFFLINE" });
    assert.deepEqual([accepted.length, clock.armed], [0, 0]);
  });
});
