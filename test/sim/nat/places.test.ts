import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { codeOf } from "../../../src/base/errors.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { EASY, HARD, Internet, meet, type Peer, ROUND_TRIP } from "./punching.ts";

/** Two peers somewhere, who meet; for some seeds. */
function places(
  fact: string,
  build: (internet: Internet) => { server: Peer; client: Peer },
  judge: (outcome: Awaited<ReturnType<typeof meet>>, internet: Internet) => void,
): void {
  test(fact, () =>
    forEachSeed(5, async (seed, trace) => {
      const internet = await Internet.open({ seed, trace });
      const { server, client } = build(internet);
      judge(await meet(internet, server, client), internet);
    }),
  );
}

/** No later than two and a half round trips and two signals. */
function inTime({ took, error }: { took: number | undefined; error: Error | undefined }, internet: Internet) {
  assert.equal(error, undefined);
  const budget = 2.5 * ROUND_TRIP + 2 * internet.point.delay;
  assert.ok(took !== undefined && took <= budget, `${took} ms, and ${budget} were allowed`);
}

describe("where two peers may be", () => {
  places(
    "two easy NATs: two and a half round trips and two signals at most, STUN included",
    (internet) => ({
      server: internet.peer(internet.home("server", "5.0.0.1", EASY).host, "5.0.0.1"),
      client: internet.peer(internet.home("client", "5.0.0.2", EASY).host, "5.0.0.2"),
    }),
    inTime,
  );

  places(
    "two easy NATs whose addresses nobody attests: half a round trip and a signal more",
    (internet) => ({
      server: internet.peer(internet.home("server", "5.0.0.1", EASY).host, undefined),
      client: internet.peer(internet.home("client", "5.0.0.2", EASY).host, undefined),
    }),
    ({ took }, internet) =>
      assert.ok(took !== undefined && took <= 3 * ROUND_TRIP + 2 * internet.point.delay, `${took}`),
  );

  places(
    "two public hosts",
    (internet) => ({
      server: internet.peer(internet.publicHost("server", "5.0.0.1"), "5.0.0.1"),
      client: internet.peer(internet.publicHost("client", "5.0.0.2"), "5.0.0.2"),
    }),
    inTime,
  );

  places(
    "hard NAT and public host",
    (internet) => ({
      server: internet.peer(internet.home("server", "5.0.0.1", HARD).host, "5.0.0.1"),
      client: internet.peer(internet.publicHost("client", "5.0.0.2"), "5.0.0.2"),
    }),
    inTime,
  );

  places(
    "NATs that refuse what they do not let in",
    (internet) => {
      const nat = { ...EASY, refusesUnsolicited: true };
      return {
        server: internet.peer(internet.home("server", "5.0.0.1", nat).host, "5.0.0.1"),
        client: internet.peer(internet.home("client", "5.0.0.2", nat).host, "5.0.0.2"),
      };
    },
    inTime,
  );

  places(
    "double NAT on one side",
    (internet) => {
      const provider = internet.home("provider", "5.0.0.1", EASY, { inner: ["100.64.0.1/24"], hosts: 0 });
      const inner = internet.home("server", "100.64.0.2/24", EASY, { uplink: provider.lan });
      return {
        server: internet.peer(inner.host, "5.0.0.1"),
        client: internet.peer(internet.home("client", "5.0.0.2", EASY).host, "5.0.0.2"),
      };
    },
    inTime,
  );

  for (const hairpin of [false, true]) {
    places(
      `two hosts behind one NAT ${hairpin ? "with" : "without"} hairpinning find each other on the LAN`,
      (internet) => {
        const { hosts } = internet.home("home", "5.0.0.1", { ...EASY, hairpin }, { hosts: 2 });
        return {
          server: internet.peer(hosts[0]!, "5.0.0.1"),
          client: internet.peer(hosts[1]!, "5.0.0.1"),
        };
      },
      // The LAN takes no time: what remains is the two signals.
      ({ took }, internet) => assert.equal(took, 2 * internet.point.delay),
    );
  }

  places(
    "IPv6 with stateful firewalls, without any NAT that lets IPv4 through",
    (internet) => {
      const home = (name: string, outer: string, inner: string) =>
        internet.home(name, outer, HARD, { inner: ["192.168.1.1/24", inner], firewall: {} });
      return {
        server: internet.peer(home("server", "5.0.0.1", "2a00:1::1/64").host, "5.0.0.1"),
        client: internet.peer(home("client", "5.0.0.2", "2a00:2::1/64").host, "5.0.0.2"),
      };
    },
    inTime,
  );

  places(
    "IPv6 alone with stateful firewalls, the addresses attested: one round trip and two signals",
    (internet) => {
      const home = (name: string, outer: string, inner: string) =>
        internet.home(name, outer, undefined, { inner: [inner], firewall: {} });
      return {
        server: internet.peer(home("server", "2a00:9::1", "2a00:1::1/64").host, "2a00:1::2"),
        client: internet.peer(home("client", "2a00:9::2", "2a00:2::1/64").host, "2a00:2::2"),
      };
    },
    ({ took, error }, internet) => {
      assert.equal(error, undefined);
      assert.equal(took, ROUND_TRIP + 2 * internet.point.delay);
    },
  );

  places(
    "without any STUN server a host with a public address is found",
    (internet) => ({
      server: internet.peer(internet.publicHost("server", "5.0.0.1"), "5.0.0.1", { stunServers: [] }),
      client: internet.peer(internet.home("client", "5.0.0.2", HARD).host, "5.0.0.2", { stunServers: [] }),
    }),
    ({ took }) => assert.ok(took !== undefined && took < 1000, `${took}`),
  );

  places(
    "where nothing helps the error says what is known of both sides' NATs",
    (internet) => ({
      server: internet.peer(internet.home("server", "5.0.0.1", HARD).host, "5.0.0.1"),
      client: internet.peer(internet.home("client", "5.0.0.2", HARD).host, "5.0.0.2"),
    }),
    ({ error }) => {
      assert.equal(codeOf(error), "ERR_1TP_PUNCH_FAILED");
      assert.match(error!.message, /here mapping dependent, filtering unknown, ports random/);
      assert.match(error!.message, /there mapping dependent, filtering unknown, ports random/);
    },
  );
});
