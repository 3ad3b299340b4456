import { describe, test } from "node:test";
import type { ChannelPair } from "./channel-bench.ts";
import { listen, type TransportSetup, type TransportTest } from "./station.ts";
import { testChannel } from "./test-channel.ts";
import { testTransportDialling } from "./test-transport-dialling.ts";
import { testTransportEndpoints } from "./test-transport-endpoints.ts";
import { testTransportListening } from "./test-transport-listening.ts";

/** Every rule of `contract/transport.ts`, and of `contract/channel.ts` for its channels. */
export function testTransport(setup: TransportSetup): void {
  const { run = (work) => work, timeout = 60_000 } = setup;
  const check: TransportTest = (fact, body) => {
    test(fact, { timeout }, async () => {
      const before = resources();
      await run(body());
      await settled(before);
    });
  };
  describe(`transport ${setup.name}`, () => {
    testTransportEndpoints(check, setup);
    testTransportDialling(check, setup);
    testTransportListening(check, setup);
  });
  testChannel({
    ...setup,
    open: () => openPair(setup),
    run: async (work) => {
      const before = resources();
      await run(work);
      await settled(before);
    },
  });
}

async function openPair(setup: TransportSetup): Promise<ChannelPair> {
  const station = await listen(setup);
  const near = await station.dial();
  const far = await station.nextAccepted();
  return { near, far, close: () => station.close() };
}

/** What keeps the process alive, by kind. */
function resources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** Resolves once nothing more keeps the process alive than `before`; a leak meets the test's timeout. */
async function settled(before: ReadonlyMap<string, number>): Promise<void> {
  const isLeft = ([kind, count]: [string, number]): boolean =>
    kind !== "Immediate" && count > (before.get(kind) ?? 0);
  while ([...resources()].some(isLeft)) await new Promise(setImmediate);
}
