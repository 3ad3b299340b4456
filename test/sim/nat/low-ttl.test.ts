import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { forEachSeed } from "../../kit/seeds.ts";
import { EASY, Internet, meet } from "./punching.ts";

/** A NAT with the conntrack trap that keeps ports, as Linux boxes do. */
const TRAP = { ...EASY, ports: "preserving", acceptsUnsolicited: true } as const;

/** Addresses of homes whose packets have sprung a trap; a STUN server's may, when it is asked to answer from elsewhere. */
function trappedPeers({ network }: Internet): string[] {
  const trapped: string[] = [];
  network.observer = ({ reason, packet: { source } }) => {
    if (reason === "trapped" && !source.address.startsWith("5.9.")) trapped.push(source.address);
  };
  return trapped;
}

describe("the conntrack trap", () => {
  for (const [where, server, client] of [
    ["before the server", TRAP, EASY],
    ["before the client", EASY, TRAP],
    ["on both sides", TRAP, TRAP],
  ] as const) {
    for (const delay of [0, 5, 20, 60, 200]) {
      test(`${where} never springs, with signals of ${delay} ms`, () =>
        forEachSeed(5, async (seed, trace) => {
          const internet = await Internet.open({ seed, trace }, delay);
          const trapped = trappedPeers(internet);
          const outcome = await meet(
            internet,
            internet.peer(internet.home("server", "5.0.0.1", server).host, "5.0.0.1"),
            internet.peer(internet.home("client", "5.0.0.2", client).host, "5.0.0.2"),
          );
          assert.equal(outcome.error, undefined);
          assert.deepEqual(trapped, []);
          const [first] = outcome.stories;
          assert.equal(first!.trick, "low-ttl");
        }));
    }
  }

  test("does not spring either where nobody is attested and there is one STUN server", () =>
    forEachSeed(5, async (seed, trace) => {
      const internet = await Internet.open({ seed, trace });
      const options = { stunServers: ["stun:5.9.0.1"] };
      const trapped = trappedPeers(internet);
      const outcome = await meet(
        internet,
        internet.peer(internet.home("server", "5.0.0.1", TRAP).host, undefined, options),
        internet.peer(internet.home("client", "5.0.0.2", TRAP).host, undefined, options),
      );
      assert.equal(outcome.error, undefined);
      assert.deepEqual(trapped, []);
    }));
});

test("where the words of low TTL first are lost, simultaneous connects without them", () =>
  forEachSeed(5, async (seed, trace) => {
    const internet = await Internet.open({ seed, trace });
    internet.point.meddler = (body) => {
      const { opened: _, ...rest } = body as Record<string, never>;
      return rest;
    };
    const outcome = await meet(
      internet,
      internet.peer(internet.home("server", "5.0.0.1", EASY).host, "5.0.0.1"),
      internet.peer(internet.home("client", "5.0.0.2", EASY).host, "5.0.0.2"),
    );
    assert.equal(outcome.error, undefined);
    assert.equal(outcome.stories[0]!.trick, "simultaneous");
    assert.ok(outcome.took! < 1300, `${outcome.took}`);
  }));

test("one datagram in five lost: they meet all the same", () =>
  forEachSeed(30, async (seed, trace) => {
    const internet = await Internet.open({ seed, trace });
    const link = { latency: 10, loss: 0.1 };
    const server = internet.peer(internet.home("server", "5.0.0.1", EASY, { link }).host, "5.0.0.1");
    const client = internet.peer(internet.home("client", "5.0.0.2", EASY, { link }).host, "5.0.0.2");
    await internet.network.clock.run(async () => {
      const listener = await server.listen();
      await internet.pass(2000);
      const channel = await client.dial(listener.endpoints[0]!);
      channel.abort();
      await listener.close();
    }, 60_000);
  }));
