import assert from "node:assert/strict";
import { codeOf } from "../../src/base/errors.ts";
import type { Channel } from "../../src/contract/channel.ts";
import { ChannelProbe } from "./channel-probe.ts";
import { converse, dialContext, echo, listen, type TransportSetup, type TransportTest } from "./station.ts";

/** How dials succeed, fail and are aborted. Part of `testTransport`. */
export function testTransportDialling(check: TransportTest, setup: TransportSetup): void {
  check("every announced endpoint can be dialled", async () => {
    const station = await listen(setup, { onChannel: echo });
    for (const endpoint of station.listener.endpoints) {
      const channel = await station.dial(undefined, endpoint);
      assert.equal(channel.remote.transportType, endpoint.transportType);
      assert.deepEqual(channel.remote.transportInfo, endpoint.transportInfo);
      await converse(channel);
    }
    await station.close();
  });

  for (const count of [2, setup.dials ?? 50]) {
    check(`${count} dials at once give as many channels that do not mix`, async () => {
      const station = await listen(setup);
      const dials = Array.from({ length: count }, () => station.dial());
      const near = (await Promise.all(dials)).map((channel) => new ChannelProbe(channel).attach());
      const far: ChannelProbe[] = [];
      for (const _ of near) far.push(new ChannelProbe(await station.nextAccepted()).attach());
      for (const [i, probe] of near.entries()) {
        probe.write(`word ${i}`);
        probe.end();
      }
      await Promise.all(far.map((probe) => probe.until("end", () => probe.ended)));
      const words = far.map((probe) => probe.received().toString());
      assert.deepEqual(words.sort(), near.map((_, i) => `word ${i}`).sort());
      for (const probe of [...near, ...far]) probe.abort();
      await Promise.all([...near, ...far].map((probe) => probe.until("close", () => !!probe.closed)));
      await station.close();
    });
  }

  check("a dial says that it connects", async () => {
    const station = await listen(setup, { onChannel: echo });
    const phases: string[] = [];
    const context = dialContext(setup, new AbortController().signal);
    const endpoint = station.listener.endpoints[0]!;
    const channel = await station.transport.dial(endpoint, {
      ...context,
      onPhase: (phase) => phases.push(phase),
    });
    assert.equal(phases.includes("connect"), true, `phases were ${phases}`);
    await converse(channel);
    await station.close();
  });

  check("a dial to where nobody listens rejects with a code", async () => {
    const { endpoint, code } = await (setup.refused?.() ?? closedEndpoint(setup));
    const transport = setup.create();
    const { signal } = new AbortController();
    await assert.rejects(transport.dial(endpoint, dialContext(setup, signal)), (error) => {
      assert.equal(error instanceof Error, true);
      assert.equal(codeOf(error), code);
      return true;
    });
    await setup.dispose?.(transport);
  });

  testAbortSignal(check, setup);
}

function testAbortSignal(check: TransportTest, setup: TransportSetup): void {
  check("a dial whose signal has aborted rejects with its reason and reaches nobody", async () => {
    const accepted: Channel[] = [];
    const station = await listen(setup, {
      onChannel(channel) {
        accepted.push(channel);
        echo(channel);
      },
    });
    const reason = new Error("never mind");
    await assert.rejects(station.dial(AbortSignal.abort(reason)), (error) => error === reason);
    await converse(await station.dial());
    assert.equal(accepted.length, 1);
    await station.close();
  });

  for (let turns = 0; turns <= 6; turns++) {
    check(`an abort ${turns} turns into a dial leaves nothing behind`, async () => {
      const station = await listen(setup, { onChannel: echo });
      const controller = new AbortController();
      const reason = new Error("lost the race");
      const outcome = observe(station.dial(controller.signal));
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      const inTime = outcome.channel !== undefined;
      controller.abort(reason);
      await outcome.settled;
      if (inTime) {
        await converse(outcome.channel!);
      } else if (outcome.channel) {
        const late = new ChannelProbe(outcome.channel).attach();
        await late.until("close", () => late.closed !== undefined);
      } else {
        assert.equal(outcome.error, reason);
      }
      await station.close();
    });
  }

  check("an abort after a dial changes nothing", async () => {
    const station = await listen(setup, { onChannel: echo });
    const controller = new AbortController();
    const channel = await station.dial(controller.signal);
    controller.abort(new Error("too late"));
    await converse(channel);
    await station.close();
  });
}

interface Outcome {
  channel?: Channel;
  error?: unknown;
  readonly settled: Promise<void>;
}

function observe(dial: Promise<Channel>): Outcome {
  const outcome: Outcome = {
    settled: dial.then(
      (channel) => {
        outcome.channel = channel;
      },
      (error: unknown) => {
        outcome.error = error;
      },
    ),
  };
  return outcome;
}

async function closedEndpoint(setup: TransportSetup) {
  const station = await listen(setup);
  await station.close();
  return { endpoint: station.listener.endpoints[0]!, code: "ECONNREFUSED" };
}
