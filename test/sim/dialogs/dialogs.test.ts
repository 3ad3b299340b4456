import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, it, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import { codeOf, OnetpError } from "../../../src/base/errors.ts";
import type {
  Dialog,
  RegisterOptions,
  Registration,
  Signaling,
  SignalingAddress,
} from "../../../src/contract/dialog.ts";
import { MemoryHub, MemoryTransport } from "../../../transports/memory/index.ts";
import { DialogProbe } from "../../conformance/dialog-probe.ts";
import { Gathering } from "./gathering.ts";

/** A signaling that does nothing but what a test replaces. */
function idleSignaling(parts: Partial<Signaling>): Signaling {
  return {
    accepts: () => true,
    register: () => new Promise(() => {}),
    open: () => new Promise(() => {}),
    close: async () => {},
    ...parts,
  };
}

/** A registration that counts how often it was closed. */
function registration(): Registration & { closed: number } {
  return {
    closed: 0,
    address: { type: "local-signaling", uid: "0".repeat(32) },
    close() {
      this.closed++;
    },
    ref() {},
    unref() {},
  };
}

/** The codes of what is dropped during a test. */
function drops(test: TestContext): (string | undefined)[] {
  const codes: (string | undefined)[] = [];
  const note = (message: unknown): void => {
    codes.push(codeOf((message as { error: Error }).error));
  };
  subscribe("1tp:drop", note);
  test.after(() => unsubscribe("1tp:drop", note));
  return codes;
}

describe("a server whose registrar", () => {
  it("does not answer hears so after 5 s, and accepts on its other transports meanwhile", async () => {
    const gathering = new Gathering();
    const { clock, runtime } = gathering;
    const hub = new MemoryHub();
    const { server, events } = gathering.serve({}, idleSignaling({}), [
      new MemoryTransport({ hub, name: "here" }),
    ]);
    server.listen();
    await clock.advanceAsync(100);
    const [dialler] = [new MemoryTransport({ hub })];
    const context = { runtime, signal: new AbortController().signal, onPhase() {} };
    const endpoint = { transportType: "memory", transportInfo: { name: "here" } };
    const channel = await clock.run(() => dialler!.dial(endpoint, context));
    channel.abort();
    await clock.advanceAsync(4_899);
    assert.deepEqual(events, []);
    await clock.advanceAsync(1);
    assert.deepEqual(events, ["signaled ETIMEDOUT@5000"]);
    assert.deepEqual(
      server.address()?.map(({ transportType }) => transportType),
      ["memory"],
    );
    await clock.run(() => server.closeP());
  });

  it("answers too late gives the uid back", async () => {
    const { clock, ...gathering } = new Gathering();
    const late = registration();
    const slow = idleSignaling({
      register: () => new Promise((resolve) => clock.setTimer(clock.now() + 6_000, () => resolve(late))),
    });
    const { server, events } = new Gathering().serve({ runtime: gathering.runtime }, slow);
    server.listen();
    await clock.advanceAsync(5_000);
    assert.match(events.join(), /^error ETIMEDOUT@/);
    assert.equal(late.closed, 0);
    await clock.advanceAsync(1_000);
    assert.equal(late.closed, 1);
  });

  it("answers after the server was closed gives the uid back", async () => {
    const gathering = new Gathering();
    const { clock } = gathering;
    const late = registration();
    const slow = idleSignaling({
      register: () => new Promise((resolve) => clock.setTimer(clock.now() + 1_000, () => resolve(late))),
    });
    const { server } = gathering.serve({}, slow);
    server.listen();
    await clock.run(() => server.closeP());
    assert.equal(late.closed, 1);
  });

  it("gives the uid to somebody newer loses that transport, or is broken if it was the last", async () => {
    const gathering = new Gathering();
    const { clock } = gathering;
    const taken = new OnetpError("ERR_1TP_SIGNALING_REFUSED", { detail: "the uid is registered anew" });
    for (const others of [[], [new MemoryTransport({ hub: new MemoryHub() })]]) {
      const held = registration();
      let options: RegisterOptions | undefined;
      const signaling = idleSignaling({
        async register(given) {
          options = given;
          return held;
        },
      });
      const { server, events } = gathering.serve({}, signaling, others);
      await clock.run(() => server.listenP());
      options!.onClose!(taken);
      await setImmediate();
      const [event] = events;
      assert.match(
        event!,
        others.length > 0 ? /^signaled ERR_1TP_SIGNALING_REFUSED/ : /^error ERR_1TP_SIGNALING/,
      );
      assert.equal(held.closed, 1);
      assert.equal(server.listening, others.length > 0);
      if (server.listening) await clock.run(() => server.closeP());
      options!.onClose!(taken);
      await setImmediate();
      assert.equal(events.length, 1);
    }
  });
});

describe("a server with silent openers", () => {
  async function besieged(openers: number) {
    const gathering = new Gathering();
    const { clock } = gathering;
    const { server, transport } = gathering.serve();
    const info = await clock.run(() => server.listenP());
    const address = info[0]!.transportInfo as SignalingAddress;
    const stranger = gathering.signaling();
    const probes: DialogProbe[] = [];
    for (let i = 0; i < openers; i++)
      probes.push(new DialogProbe(await stranger.open(address, transport.type)));
    await setImmediate();
    return { gathering, clock, server, transport, info, probes };
  }

  it("closes each after 15 s, and has shown none to the transport", async (t) => {
    const dropped = drops(t);
    const { clock, transport, server, probes } = await besieged(3);
    await clock.advanceAsync(14_999);
    assert.deepEqual(
      probes.map(({ closes }) => closes.length),
      [0, 0, 0],
    );
    await clock.advanceAsync(1);
    for (const probe of probes) assert.equal(await probe.closed(), undefined);
    assert.deepEqual(dropped, ["ETIMEDOUT", "ETIMEDOUT", "ETIMEDOUT"]);
    assert.equal(transport.accepted.length, 0);
    await clock.run(() => server.closeP());
    assert.equal(clock.armed, 0);
  });

  it("gives up the oldest beyond 256, and lets an honest client in", async (t) => {
    const dropped = drops(t);
    const { clock, gathering, info, server, probes } = await besieged(300);
    assert.equal(probes.filter(({ closes }) => closes.length > 0).length, 44);
    const socket = gathering.socket();
    await clock.run(() => socket.connectP(info));
    assert.equal(dropped.length, 45);
    socket.destroy();
    await clock.run(() => server.closeP());
  });

  it("closes them all when it is closed, and opens none later", async () => {
    const { clock, server, probes } = await besieged(5);
    await clock.run(() => server.closeP());
    for (const probe of probes) assert.equal(await probe.closed(), undefined);
    assert.equal(clock.armed, 0);
  });

  it("waits for an authorize that never answers no longer than for others", async () => {
    const gathering = new Gathering();
    const { clock } = gathering;
    const { server, transport } = gathering.serve({ authorize: () => new Promise(() => {}) });
    const info = await clock.run(() => server.listenP());
    const socket = gathering.socket();
    await assert.rejects(clock.run(() => socket.connectP(info)));
    assert.equal(socket.report[0]!.phase, "signal");
    assert.equal(Math.round(socket.report[0]!.end!), 15_000);
    assert.equal(transport.accepted.length, 0);
    await clock.run(() => server.closeP());
    assert.equal(clock.armed, 0);
  });
});

describe("a dial whose dialog", () => {
  /** Opens dialogs that say nothing, and keeps them. */
  function silence(): { signaling: Signaling; probes: { closed: boolean }[] } {
    const probes: { closed: boolean }[] = [];
    const open = async (): Promise<Dialog> => {
      const probe = {
        closed: false,
        send: async () => {},
        attach() {},
        close() {
          probe.closed = true;
        },
      };
      probes.push(probe);
      return probe;
    };
    return { signaling: idleSignaling({ open }), probes };
  }

  async function entryOf(gathering: Gathering) {
    const { server } = gathering.serve();
    const info = await gathering.clock.run(() => server.listenP());
    await gathering.clock.run(() => server.closeP());
    return info;
  }

  it("is never answered fails after 15 s and closes it", async () => {
    const gathering = new Gathering();
    const info = await entryOf(gathering);
    const { signaling, probes } = silence();
    const socket = gathering.socket({}, signaling);
    await assert.rejects(
      gathering.clock.run(() => socket.connectP(info)),
      { code: "ETIMEDOUT" },
    );
    assert.deepEqual([socket.report[0]!.phase, socket.report[0]!.end], ["signal", 15_000]);
    assert.ok(probes[0]!.closed);
    assert.equal(gathering.clock.armed, 0);
  });

  it("is not answered before the attempt's time is up closes it then", async () => {
    const gathering = new Gathering();
    const info = await entryOf(gathering);
    const { signaling, probes } = silence();
    const socket = gathering.socket({}, signaling, 2_000);
    await assert.rejects(
      gathering.clock.run(() => socket.connectP(info)),
      { code: "ETIMEDOUT" },
    );
    assert.equal(socket.report[0]!.end, 2_000);
    assert.ok(probes[0]!.closed);
    assert.equal(gathering.clock.armed, 0);
  });

  it("leads to a registrar that the dial policy forbids is not opened", async () => {
    const gathering = new Gathering();
    const { clock } = gathering;
    const [entry] = await entryOf(gathering);
    const { signaling, probes } = silence();
    const hosts: Record<string, string> = { "inside.example": "10.0.0.1", "outside.example": "8.8.8.8" };
    const runtime = { ...gathering.runtime, lookup: async (name: string) => [hosts[name]!] };
    const dial = (url: string): Promise<unknown> => {
      const socket = gathering.socket({ runtime, dialPolicy: { deny: ["private"] } }, signaling, 100);
      return clock.run(() => socket.connectP({ ...entry!, transportInfo: { ...entry!.transportInfo, url } }));
    };
    await assert.rejects(dial("ws://10.0.0.1"), { code: "ERR_1TP_NO_TRANSPORT" });
    await assert.rejects(dial("ws://inside.example"), { code: "ERR_1TP_BAD_ADDRESS", phase: "signal" });
    assert.equal(probes.length, 0);
    await assert.rejects(dial("ws://outside.example"), { code: "ETIMEDOUT" });
    assert.equal(probes.length, 1);
  });

  it("opens after the dial was given up closes it", async () => {
    const gathering = new Gathering();
    const info = await entryOf(gathering);
    const { signaling, probes } = silence();
    const { clock } = gathering;
    const slow = idleSignaling({
      open: (...target) =>
        new Promise((resolve) => clock.setTimer(clock.now() + 50, () => resolve(signaling.open(...target)))),
    });
    const socket = gathering.socket({}, slow);
    socket.connect(info);
    await clock.advanceAsync(10);
    socket.destroy();
    await clock.advanceAsync(100);
    assert.deepEqual(
      probes.map(({ closed }) => closed),
      [true],
    );
    assert.equal(clock.armed, 0);
  });
});
