import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runtime } from "#platform";
import { LocalHub, LocalSignaling } from "../../../../signaling/local/index.ts";
import { codeOf } from "../../../../src/base/errors.ts";
import type { Dialog } from "../../../../src/contract/dialog.ts";
import type { Json } from "../../../../src/contract/endpoint.ts";
import type { DialContext, Listener } from "../../../../src/contract/transport.ts";
import { TcpPunchTransport, type TcpPunchTransportOptions } from "../../../../transports/tcp-punch/index.ts";
import { assertNothingLeft } from "../../../kit/leaks.ts";
import { VirtualClock } from "../../../kit/virtual-clock.ts";

const signaling = new LocalSignaling({ hub: new LocalHub() });
const ENTRY = { transportType: "tcp-punch", transportInfo: { type: "local-signaling", uid: "0".repeat(32) } };

describe("the constructor of tcp-punch", () => {
  for (const [wrong, code] of [
    [undefined, "ERR_INVALID_ARG_TYPE"],
    [{}, "ERR_INVALID_ARG_TYPE"],
    [{ signaling: {} }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, stunServers: "stun:5.9.0.1" }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, stunServers: ["5.9.0.1"] }, "ERR_INVALID_ARG_VALUE"],
    [{ signaling, reach: "public" }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, cost: Number.NaN }, "ERR_OUT_OF_RANGE"],
    [{ signaling, noDelay: 1 }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, keepAlive: true }, "ERR_INVALID_ARG_TYPE"],
    [{ signaling, keepAlive: -1 }, "ERR_OUT_OF_RANGE"],
  ] as const) {
    test(`throws ${code} for ${JSON.stringify(wrong, ["stunServers", "reach", "cost", "noDelay", "keepAlive"])}`, () => {
      assert.throws(() => new TcpPunchTransport(wrong as unknown as TcpPunchTransportOptions), { code });
    });
  }

  test("has the cost and the patience of the table, and takes its own entries alone", () => {
    const transport = new TcpPunchTransport({ signaling });
    assert.deepEqual(transport.traits, { cost: 45, relayed: false, signaled: true });
    assert.equal(transport.connectTimeout, 15_000);
    assert.equal(transport.accepts(ENTRY), true);
    assert.equal(transport.accepts({ ...ENTRY, transportType: "udp-punch" }), false);
  });
});

test("without dialogs tcp-punch says so", async () => {
  const transport = new TcpPunchTransport({ signaling });
  const { signal } = new AbortController();
  const unsupported = (error: unknown): boolean => codeOf(error) === "ERR_1TP_UNSUPPORTED";
  await assert.rejects(transport.dial(ENTRY, { runtime, signal, onPhase() {} }), unsupported);
  const context = { runtime, listeningInfo: [], exclusive: false, onChannel() {}, onError() {} };
  await assert.rejects(transport.listen(context), unsupported);
});

/** A peer that answers dialogs as the test wants. */
async function meeting(onDialog: (dialog: Dialog) => void): Promise<{
  readonly entry: typeof ENTRY;
  readonly context: DialContext;
  close(): void;
}> {
  const registration = await signaling.register({ transportType: "tcp-punch", onDialog });
  const { signal } = new AbortController();
  return {
    entry: { transportType: "tcp-punch", transportInfo: registration.address as never },
    context: {
      runtime,
      signal,
      onPhase() {},
      openDialog: (where, address, type) => where.open(address, type),
    },
    close: () => registration.close(),
  };
}

const failed = (why: RegExp) => (error: unknown) => {
  assert.equal(codeOf(error), "ERR_1TP_PUNCH_FAILED");
  assert.match((error as Error).message, why);
  return true;
};

describe("a dial", () => {
  test("fails when the peer leaves, and leaves nothing", () =>
    assertNothingLeft(async () => {
      const { entry, context, close } = await meeting((dialog) => dialog.close());
      const dial = new TcpPunchTransport({ signaling }).dial(entry, context);
      await assert.rejects(dial, failed(/the peer has left; here mapping unknown/));
      close();
    }));

  test("of a peer that says nothing fails when its time is up", () =>
    assertNothingLeft(async () => {
      const clock = new VirtualClock();
      let heard = (): void => {};
      const said = new Promise<void>((resolve) => {
        heard = resolve;
      });
      const { entry, context, close } = await meeting((dialog) =>
        dialog.attach({ onSignal: heard, onClose() {} }),
      );
      const transport = new TcpPunchTransport({ signaling, connectTimeout: 700 });
      const dial = transport.dial(entry, { ...context, runtime: { ...runtime, clock } });
      const rejection = assert.rejects(dial, failed(/there was no time left/));
      await said;
      await clock.advanceAsync(699);
      assert.notEqual(clock.referenced, 0);
      await clock.advanceAsync(1);
      await rejection;
      assert.equal(clock.armed, 0);
      close();
    }));

  test("that is aborted while it punches rejects with the reason, and leaves nothing", () =>
    assertNothingLeft(async () => {
      const controller = new AbortController();
      const { entry, context, close } = await meeting((dialog) =>
        dialog.attach({ onSignal: () => controller.abort(new Error("enough")), onClose() {} }),
      );
      const dial = new TcpPunchTransport({ signaling }).dial(entry, {
        ...context,
        signal: controller.signal,
      });
      await assert.rejects(dial, /enough/);
      close();
    }));

  test("connects to nothing that the user's policy forbids, and says so", () =>
    assertNothingLeft(async () => {
      const clock = new VirtualClock();
      const { entry, context, close } = await meeting((dialog) => {
        const say = (body: Json): void => void dialog.send(body).catch(() => {});
        const candidates = [{ kind: "listening", address: "10.9.8.7", port: 80 }];
        dialog.attach({
          onSignal: () =>
            say({
              user: "somebody",
              password: "0123456789abcdefghijklmn",
              candidates,
              complete: true,
              go: true,
              spent: true,
            }),
          onClose() {},
        });
      });
      const asked: string[] = [];
      const mayDial = (host: string): boolean => asked.push(host) === 0;
      const dial = new TcpPunchTransport({ signaling }).dial(entry, {
        ...context,
        mayDial,
        runtime: { ...runtime, clock },
      });
      await assert.rejects(
        dial,
        failed(/connections tried: 0; the peer has addresses that are forbidden here/),
      );
      assert.deepEqual(asked, ["10.9.8.7"]);
      close();
    }));
});

test("a listener that closes lets go of all that punch with it", () =>
  assertNothingLeft(async () => {
    const transport = new TcpPunchTransport({ signaling });
    const listener: Listener = await transport.listen({
      runtime,
      listeningInfo: [],
      exclusive: false,
      onChannel: (channel) => assert.fail(`a channel of ${channel.remote}`),
      onError: (error) => assert.fail(error),
      onDialog: (where, transportType, accept) => where.register({ transportType, onDialog: accept }),
    });
    const dialog = await signaling.open(listener.endpoints[0]!.transportInfo as never, "tcp-punch");
    const over = new Promise<void>((resolve) => {
      dialog.attach({ onSignal: () => void listener.close(), onClose: () => resolve() });
    });
    await dialog.send({ user: "somebody", password: "0123456789abcdefghijklmn" });
    await over;
    await listener.close();
  }));
