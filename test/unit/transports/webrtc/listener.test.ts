import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalDialog } from "../../../../signaling/local/dialog.ts";
import { LocalSignaling } from "../../../../signaling/local/index.ts";
import { codeOf } from "../../../../src/base/errors.ts";
import type { Channel } from "../../../../src/contract/channel.ts";
import type { Dialog, Registration } from "../../../../src/contract/dialog.ts";
import { listenWebRtc } from "../../../../transports/webrtc/listener.ts";
import { DialogProbe } from "../../../conformance/dialog-probe.ts";
import { simulatedRuntime } from "../../../kit/simulated-runtime.ts";
import { VirtualClock } from "../../../kit/virtual-clock.ts";
import { ScriptedPeer } from "./scripted-peer.ts";

const registration: Registration = {
  address: { type: "local-signaling", uid: "0".repeat(32) },
  close() {},
  ref() {},
  unref() {},
};

/** A listener whose peers are scripted, and a way to open dialogs with it. */
async function stage(openPeer?: () => Promise<ScriptedPeer>) {
  const clock = new VirtualClock();
  const peers: ScriptedPeer[] = [];
  const channels: Channel[] = [];
  let accept!: (dialog: Dialog) => void;
  const listener = await listenWebRtc(
    {
      runtime: simulatedRuntime(clock),
      listeningInfo: [],
      exclusive: false,
      onChannel: (channel) => channels.push(channel),
      onError: assert.fail,
      async onDialog(_signaling, _type, onDialog) {
        accept = onDialog;
        return registration;
      },
    },
    {
      signaling: new LocalSignaling(),
      patience: 0,
      openPeer:
        openPeer ??
        (async () => {
          const peer = new ScriptedPeer();
          peers.push(peer);
          return peer;
        }),
    },
  );
  const open = (observedAddress?: string): DialogProbe => {
    const [near, far] = LocalDialog.pair();
    accept(Object.defineProperty(far, "observedAddress", { value: observedAddress }));
    return new DialogProbe(near);
  };
  return { clock, peers, channels, listener, open };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
}

describe("a webrtc listener", () => {
  test("negotiates 64 connections at once, closes further dialogs, and has room again afterwards", async () => {
    const { peers, channels, open } = await stage();
    const crowd = Array.from({ length: 70 }, () => open());
    await turns();
    assert.equal(peers.length, 64);
    assert.equal(crowd.filter(({ closes }) => closes.length > 0).length, 6);
    peers[0]!.emit("connect");
    peers[1]!.destroy();
    await turns();
    assert.equal(channels.length, 1);
    for (let i = 0; i < 3; i++) open();
    await turns();
    assert.equal(peers.length, 66);
  });

  test("leaves room for others when one address opens dialog after dialog", async () => {
    const { peers, open } = await stage();
    for (let i = 0; i < 70; i++) open("192.0.2.1");
    await turns();
    assert.equal(peers.length, 16);
    const other = open("192.0.2.2");
    await turns();
    assert.deepEqual([peers.length, other.closes.length], [17, 0]);
  });

  test("gives a dialog 15 s, and says so to the other end", async () => {
    const { clock, peers, open } = await stage();
    const probe = open();
    await turns();
    await clock.advanceAsync(14_999);
    assert.equal(peers[0]!.destroyed, false);
    await clock.advanceAsync(1);
    await turns();
    assert.equal(peers[0]!.destroyed, true);
    assert.match(JSON.stringify(probe.signals), /"failed".*ETIMEDOUT/);
    assert.equal(probe.closes.length, 1);
  });

  test("ends what is under way when it closes, and takes nothing any more", async () => {
    const { peers, channels, listener, open } = await stage();
    const under = open();
    await turns();
    await listener.close();
    const late = open();
    peers[0]!.emit("connect");
    await turns();
    assert.deepEqual([peers.length, peers[0]!.destroyed, channels.length], [1, true, 0]);
    assert.deepEqual([under.closes.length, late.closes.length], [1, 1]);
  });

  test("closes the dialog when a peer cannot be made", async () => {
    const { open } = await stage(() => Promise.reject(new Error("no")));
    const probe = open();
    await turns();
    assert.equal(probe.closes.length, 1);
  });

  test("cannot be where there are no dialogs", async () => {
    const context = {
      runtime: simulatedRuntime(new VirtualClock()),
      listeningInfo: [],
      exclusive: false,
      onChannel() {},
      onError() {},
    };
    const options = {
      signaling: new LocalSignaling(),
      patience: 0,
      openPeer: async () => new ScriptedPeer(),
    };
    await assert.rejects(listenWebRtc(context, options), (error) => codeOf(error) === "ERR_1TP_UNSUPPORTED");
  });
});
