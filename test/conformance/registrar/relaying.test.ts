import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { WebSocket } from "ws";
import { LocalHub, LocalSignaling } from "../../../signaling/local/index.ts";
import { createRegistrar, MemoryDirectory } from "../../../signaling/registrar/index.ts";
import { KIND, messageOf } from "../../../signaling/registrar/relay-frame.ts";
import { WebSocketSignaling } from "../../../signaling/websocket/index.ts";
import { codeOf } from "../../../src/base/errors.ts";
import type { Dialog, Signaling, SignalingAddress } from "../../../src/contract/dialog.ts";
import type { Endpoint } from "../../../src/contract/endpoint.ts";
import { assertNothingLeft } from "../../kit/leaks.ts";
import { ChannelProbe } from "../channel-probe.ts";
import { House } from "../introducer/house.ts";

const REMOTE: Endpoint = { transportType: "relay", transportInfo: { name: "somebody" } };
const LOCAL = { host: "127.0.0.1", stun: false, drainTimeout: 100 } as const;

interface Ground {
  /** Two endpoints that reach each other. */
  readonly signalings: readonly [Signaling, Signaling];
  stop(): Promise<void>;
}

async function inProcess(): Promise<Ground> {
  const hub = new LocalHub();
  return { signalings: [new LocalSignaling({ hub }), new LocalSignaling({ hub })], stop: async () => {} };
}

async function atRegistrars(count: number): Promise<Ground> {
  const directory = new MemoryDirectory();
  const registrars: Awaited<ReturnType<typeof createRegistrar>>[] = [];
  for (let i = 0; i < count; i++) registrars.push(await createRegistrar({ ...LOCAL, directory }));
  const [first, last] = [registrars[0]!, registrars.at(-1)!];
  return {
    signalings: [new WebSocketSignaling({ url: first.url }), new WebSocketSignaling({ url: last.url })],
    async stop() {
      for (const registrar of registrars) await registrar.close();
    },
  };
}

async function atIntroducer(): Promise<Ground> {
  const house = await House.open({ relay: true });
  const [here, there] = [await house.peer(), await house.peer()];
  return { signalings: [here.signaling, there.signaling], stop: () => house.close() };
}

const grounds: Record<string, () => Promise<Ground>> = {
  "in the process": inProcess,
  "through a registrar": () => atRegistrars(1),
  "through a cluster": () => atRegistrars(2),
  "through an introducer": atIntroducer,
};

async function converse([here, there]: Ground["signalings"]): Promise<[Dialog, Dialog]> {
  let accept: (dialog: Dialog) => void = () => {};
  const accepted = new Promise<Dialog>((resolve) => {
    accept = resolve;
  });
  const { address } = await there.register({ transportType: "test", onDialog: accept });
  // At the opener's own registrar, which knows the other's through the directory.
  const { url: _, ...anywhere } = address;
  const near = await here.open(anywhere as SignalingAddress, "test");
  return [near, await accepted];
}

for (const [where, start] of Object.entries(grounds)) {
  const check = (fact: string, body: (ground: Ground) => Promise<void>): void => {
    test(fact, { timeout: 30_000 }, () =>
      assertNothingLeft(async () => {
        const ground = await start();
        try {
          await body(ground);
        } finally {
          await Promise.all(ground.signalings.map((signaling) => signaling.close()));
          await ground.stop();
        }
      }),
    );
  };

  describe(`a dialog relayed ${where}`, () => {
    check("carries bytes after it has ended, and both ends close in good order", async ({ signalings }) => {
      const [near, far] = await converse(signalings);
      const one = new ChannelProbe(near.relay!(REMOTE)).attach();
      assert.deepEqual(one.channel.remote, REMOTE);
      one.write("early");
      const other = new ChannelProbe(far.relay!(REMOTE)).attach();
      near.close();
      await other.until("the early word", () => other.received().toString() === "early");
      other.write("x".repeat(1_000_000));
      other.end();
      await one.until("end", () => one.ended);
      assert.equal(one.bytes, 1_000_000);
      one.end();
      await Promise.all([one, other].map((probe) => probe.until("close", () => !!probe.closed)));
      assert.deepEqual([one.closed?.error, other.closed?.error], [undefined, undefined]);
      assert.deepEqual([one.breaches, other.breaches], [[], []]);
    });

    check("is relayed once", async ({ signalings }) => {
      const [near, far] = await converse(signalings);
      const channels = [near.relay!(REMOTE), far.relay!(REMOTE)];
      for (const dialog of [near, far]) {
        assert.throws(() => dialog.relay!(REMOTE), { code: "ERR_INVALID_STATE" });
      }
      for (const channel of channels) channel.abort();
    });
  });
}

test("a registrar that stops lets channels go on for its drain, then resets them", { timeout: 30_000 }, () =>
  assertNothingLeft(async () => {
    const { signalings, stop } = await atRegistrars(1);
    const [near, far] = await converse(signalings);
    const probes = [near, far].map((dialog) => new ChannelProbe(dialog.relay!(REMOTE)).attach());
    near.close();
    probes[0]!.write("before");
    await probes[1]!.until("bytes", () => probes[1]!.bytes === 6);
    const stopped = stop();
    probes[1]!.write("meanwhile");
    await probes[0]!.until("bytes", () => probes[0]!.bytes === 9);
    await stopped;
    await Promise.all(probes.map((probe) => probe.until("close", () => !!probe.closed)));
    for (const { closed } of probes) assert.equal(codeOf(closed?.error), "ECONNRESET");
    await Promise.all(signalings.map((signaling) => signaling.close()));
  }),
);

test("a signal overtakes what is relayed to a slow reader", { timeout: 30_000 }, () =>
  assertNothingLeft(async () => {
    const [count, size] = [128, 200 * 1024];
    const limits = { relayRate: 1e9, relayRatePerConnection: 1e9, openRate: 1_000 };
    const registrar = await createRegistrar({ ...LOCAL, limits });
    const signaling = new WebSocketSignaling({ url: registrar.url });
    const dialogs: Dialog[] = [];
    const { address } = await signaling.register({
      transportType: "test",
      onDialog(dialog) {
        dialogs.push(dialog);
        const channel = dialog.relay!(REMOTE);
        channel.attach({ onData() {}, onDrain() {}, onEnd() {}, onClose() {} });
        channel.write(new Uint8Array(size));
      },
    });
    const reader = new WebSocket(registrar.url);
    await once(reader, "open");
    let [opened, before, after, overtaken] = [0, 0, 0, false];
    let wake = (): void => {};
    reader.on("message", (message: Buffer, isBinary) => {
      if (!isBinary) {
        if (/"opened"/.test(`${message}`)) opened++;
        overtaken ||= `${message}`.includes("urgent");
      } else {
        assert.equal(message[4], KIND.data);
        if (overtaken) after += messageOf(message).length;
        else before += messageOf(message).length;
      }
      wake();
    });
    const until = async (condition: () => boolean): Promise<void> => {
      while (!condition()) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    };
    reader.send('{"type":"hello","version":1}');
    const said = (type: string, fields: object) => reader.send(JSON.stringify({ type, ...fields }));
    for (let dialog = 1; dialog <= count; dialog++) {
      said("open", { dialog, uid: address.uid, transportType: "test" });
    }
    await until(() => opened === count);
    for (let dialog = 1; dialog <= count; dialog++) said("relay", { dialog });
    reader.pause();
    const relayed = new RegExp(`^onetp_registrar_relay_bytes_total ${count * size}$`, "m");
    const metrics = `${registrar.url.replace("ws", "http")}/metrics`;
    const options = { headers: { connection: "close" } };
    while (!relayed.test(await (await fetch(metrics, options)).text()));
    await dialogs[0]!.send("urgent");
    reader.resume();
    await until(() => before + after >= count * size);
    assert.ok(after > 0, `${before} bytes came first, ${after} later`);
    const gone = once(reader, "close");
    reader.terminate();
    await gone;
    await signaling.close();
    await registrar.close();
  }),
);
