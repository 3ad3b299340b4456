import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { systemError } from "../../../src/base/errors.ts";
import { Acceptor } from "../../../src/net/acceptor.ts";
import { type ListenOutcome, ScriptedListening } from "../../kit/scripted-listener.ts";
import { simulatedRuntime } from "../../kit/simulated-runtime.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";

/** An acceptor on scripted transports, and what it tells its owner. */
function setup(...outcomes: readonly ListenOutcome[]) {
  const clock = new VirtualClock();
  const transports = outcomes.map((outcome, i) => new ScriptedListening(clock, `t${i}`, outcome));
  const told: string[] = [];
  const acceptor = new Acceptor({
    runtime: simulatedRuntime(clock),
    transports,
    listeningInfo: [],
    exclusive: false,
    answerStun: false,
    security: undefined,
    onChannel: (_channel, { type }) => told.push(`channel ${type}`),
    onTransportError: ({ message }, { type }) => told.push(`transport error ${type} ${message}`),
    onBroken: ({ message }) => told.push(`broken ${message}`),
  });
  return { clock, transports, told, acceptor };
}

const listen: ListenOutcome = { does: "listen" };
const fail: ListenOutcome = { does: "fail", after: 10, error: systemError("EACCES", "listen") };

describe("an acceptor that was closed", () => {
  it("while it opens has not failed, whatever its transports say", async () => {
    const { clock, acceptor, told } = setup(fail, fail);
    const opening = acceptor.open();
    const closing = acceptor.close();
    await clock.advanceAsync(100);
    await Promise.all([opening, closing]);
    assert.deepEqual(told, []);
  });

  it("tells of no error and no channel any more", async () => {
    for (const outcomes of [[listen], [listen, listen]]) {
      const { clock, acceptor, transports, told } = setup(...outcomes);
      await clock.run(() => acceptor.open());
      await clock.run(() => acceptor.close());
      for (const transport of transports) {
        transport.break(systemError("ENETDOWN", "accept"));
        assert.ok(transport.connect().aborted);
      }
      assert.deepEqual(told, []);
    }
  });
});

describe("an acceptor", () => {
  it("rejects with the one error of its one transport, and names those of several", async () => {
    const one = setup(fail);
    await assert.rejects(
      one.clock.run(() => one.acceptor.open()),
      { message: "listen EACCES" },
    );
    assert.deepEqual(one.told, []);
    const two = setup(fail, fail);
    await assert.rejects(
      two.clock.run(() => two.acceptor.open()),
      {
        message: "every attempt failed: t0 EACCES, t1 EACCES",
        code: "EACCES",
        syscall: "listen",
      },
    );
    assert.deepEqual(two.told, ["transport error t0 listen EACCES", "transport error t1 listen EACCES"]);
  });

  it("is broken when its last listener is", async () => {
    const { clock, acceptor, transports, told } = setup(listen, listen);
    await clock.run(() => acceptor.open());
    for (const transport of transports) transport.break(systemError("ENETDOWN", transport.type));
    assert.deepEqual(told, ["transport error t0 t0 ENETDOWN", "broken t1 ENETDOWN"]);
    assert.deepEqual(acceptor.endpoints, []);
  });
});
