import assert from "node:assert/strict";
import { test } from "node:test";
import { LocalDialog } from "../../../signaling/local/dialog.ts";
import { LocalSignaling } from "../../../signaling/local/index.ts";
import type { Channel } from "../../../src/contract/channel.ts";
import type { Dialog, Registration } from "../../../src/contract/dialog.ts";
import { RelayTransport } from "../../../transports/relay/index.ts";
import { DialogProbe } from "../../conformance/dialog-probe.ts";
import { simulatedRuntime } from "../../kit/simulated-runtime.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";

const registration: Registration = {
  address: { type: "local-signaling", uid: "0".repeat(32) },
  close() {},
  ref() {},
  unref() {},
};

/** A listener, and a way to open dialogs with it. */
async function listening() {
  const clock = new VirtualClock();
  const channels: Channel[] = [];
  let accept!: (dialog: Dialog) => void;
  const listener = await new RelayTransport({ signaling: new LocalSignaling() }).listen({
    runtime: simulatedRuntime(clock),
    listeningInfo: [],
    exclusive: false,
    onChannel: (channel) => void channels.push(channel),
    onError: assert.fail,
    async onDialog(_signaling, _type, onDialog) {
      accept = onDialog;
      return registration;
    },
  });
  return { clock, channels, listener, accept };
}

test("a listener that has joined needs no dialog any more, whatever the dialler does", async () => {
  const { channels, listener, accept, clock } = await listening();
  const [near, far] = LocalDialog.pair();
  accept(far);
  const dialler = new DialogProbe(near);
  const channel = near.relay({ transportType: "relay", transportInfo: {} });
  await near.send("join");
  assert.equal(await dialler.closed(), undefined);
  assert.deepEqual([dialler.signals, channels.length], [["join"], 1]);
  const heard = new Promise<Uint8Array>((resolve) =>
    channels[0]!.attach({ onData: resolve, onDrain() {}, onEnd() {}, onClose() {} }),
  );
  channel.write(Uint8Array.of(7));
  assert.deepEqual([...(await heard)], [7]);
  channel.abort();
  assert.equal(clock.armed, 0);
  await listener.close();
});

test("who says anything else than that it wants the channel gets none", async () => {
  const { channels, listener, accept, clock } = await listening();
  for (const body of ["hello", { hs: "x" }, null]) {
    const [near, far] = LocalDialog.pair();
    accept(far);
    const dialler = new DialogProbe(near);
    await near.send(body);
    assert.equal(await dialler.closed(), undefined);
  }
  assert.deepEqual([channels.length, clock.armed], [0, 0]);
  await listener.close();
});

test("who opens a dialog and does not say what for loses it after 10 s", async () => {
  const { listener, accept, clock } = await listening();
  const [near, far] = LocalDialog.pair();
  accept(far);
  const dialler = new DialogProbe(near);
  await clock.advanceAsync(9_999);
  assert.deepEqual([dialler.closes, clock.referenced], [[], 0]);
  await clock.advanceAsync(1);
  assert.equal(await dialler.closed(), undefined);
  await listener.close();
});
