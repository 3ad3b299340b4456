import assert from "node:assert/strict";
import { test } from "node:test";
import type { NatOptions } from "../../kit/network/nat.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { Internet, ROUND_TRIP } from "./punching.ts";

const EASY: NatOptions = {
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
  ports: "random",
};

test("two easy NATs: from dial to connect two and a half round trips and two signals at most, STUN included", () =>
  forEachSeed(20, async (seed, trace) => {
    const internet = await Internet.open({ seed, trace });
    const { clock } = internet.network;
    const server = internet.peer(internet.home("server", "5.0.0.1", EASY).host, "5.0.0.1");
    const client = internet.peer(internet.home("client", "5.0.0.2", EASY).host, "5.0.0.2");
    await clock.run(async () => {
      const listener = await server.listen();
      const began = clock.now();
      const channel = await client.dial(listener.endpoints[0]!);
      const took = clock.now() - began - 2 * internet.point.delay;
      assert.ok(took <= 2.5 * ROUND_TRIP, `${took / ROUND_TRIP} round trips`);
      channel.abort();
      await listener.close();
    }, 30_000);
  }));
