/** Every kind of site is what its name says, as seen from outside. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { SocketAddress } from "../../src/contract/datagram-socket.ts";
import { Lab } from "./kit/lab.ts";
import { type Observation, type Observatory, observe, openObservatory, sourceAt } from "./kit/observation.ts";
import { Ports } from "./kit/ports.ts";
import type { Site } from "./kit/site.ts";
import type { SiteKind } from "./kit/sites.ts";

let lab: Lab;
let services: Ports;
let servers: Observatory;
let shortLived: Promise<SocketAddress[]>;

before(async () => {
  lab = await Lab.open();
  services = new Ports(lab.services);
  servers = await openObservatory(services, 4);
  shortLived = outlive("short-lived"); // It takes its time while the others run.
  for (const port of [443, 8443]) await services.serveTcp({ address: lab.services.address, port });
});
after(() => lab.close());

async function withHosts(
  kind: SiteKind,
  look: (site: Site, ...hosts: Ports[]) => Promise<void>,
): Promise<void> {
  const site = lab.site(kind);
  const hosts = site.hosts.map((machine) => new Ports(machine));
  await look(site, ...hosts);
  for (const host of hosts) await host.stop();
}

const EASY = {
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
  ports: "random",
} as const;
const HARD = { ...EASY, mapping: "address-and-port-dependent" } as const;

const TRANSLATIONS: readonly (readonly [SiteKind, Observation])[] = [
  ["public", { ...EASY, filtering: "endpoint-independent", ports: "preserving" }],
  ["easy-full", { ...EASY, filtering: "endpoint-independent" }],
  ["easy-address", { ...EASY, filtering: "address-dependent" }],
  ["easy-port", { ...EASY, ports: "preserving" }],
  ["easy-random", EASY],
  ["easy-rejecting", { ...EASY, ports: "preserving" }],
  ["easy-accepting", { ...EASY, ports: "preserving" }],
  ["double", EASY],
  ["short-lived", EASY],
  ["hard", HARD],
  ["hard-mapping", HARD],
  ["hard-sequential", { ...HARD, ports: "sequential" }],
  ["same-hairpin", EASY],
  ["same-plain", { ...EASY, ports: "preserving" }],
];

for (const [kind, expected] of TRANSLATIONS) {
  test(`${kind}: ${Object.values(expected).join(", ")}`, () =>
    withHosts(kind, async (_, host) => assert.deepEqual(await observe(host!, servers), expected)));
}

test("ipv6: not translated, filtered by address and port", () =>
  withHosts("ipv6", async (site, host) => {
    const observed = await observe(host!, await openObservatory(services, 6));
    assert.deepEqual(observed, { ...EASY, ports: "preserving" });
    assert.match(site.host.address, /^2a00:[0-9a-f]+:1::2$/);
  }));

const UNSOLICITED = [
  ["easy-port", "drops", []],
  ["easy-rejecting", "rejects", ["ECONNREFUSED"]],
  ["easy-accepting", "accepts", ["ECONNREFUSED"]],
] as const;

for (const [kind, word, heard] of UNSOLICITED) {
  test(`${kind} ${word} what nobody asked for${kind === "easy-accepting" ? ", and remembers it" : ""}`, () =>
    withHosts(kind, async (site, host) => {
      const server = servers[0]![0];
      const client = await host!.udp();
      const { port } = client.local;
      const stranger = await services.udp({}, { address: site.outer, port });
      await stranger.send("too early");
      // A refusal takes a round trip, each of these half of one.
      for (const _ of ["half", "whole"]) await sourceAt(server, client);
      assert.deepEqual(
        stranger.arrived.map(({ text }) => text),
        heard,
      );
      for (const _ of heard) await stranger.next();
      await client.send("in vain if the port has changed", stranger.local);
      await sourceAt(server, client);
      const kept = kind !== "easy-accepting";
      assert.deepEqual(
        stranger.arrived.map(({ from }) => from),
        kept ? [{ address: site.outer, port }] : [],
      );
    }));
}

test("same-hairpin turns packets round, same-plain does not, and both hosts meet inside", async () => {
  for (const [kind, turned] of [
    ["same-hairpin", true],
    ["same-plain", false],
  ] as const) {
    await withHosts(kind, async (_, one, other) => {
      const server = servers[0]![0];
      const near = await one!.udp();
      const far = await other!.udp();
      const nearOutside = await sourceAt(server, near);
      await near.send("round", await sourceAt(server, far));
      await near.send("inside", far.local);
      if (turned) assert.deepEqual((await far.next()).from, nearOutside);
      assert.deepEqual((await far.next()).from, near.local);
    });
  }
});

test("double: the inner router has an address of the carrier's", () =>
  withHosts("double", async (site, host) => {
    const client = await host!.udp();
    const source = await sourceAt(servers[0]![0], client);
    assert.deepEqual([site.outer, site.routers[1]!.address], [source.address, "100.64.0.2"]);
  }));

test("udp-blocked lets TCP out and tcp-443-only nothing but TCP to port 443", async () => {
  for (const [kind, open] of [
    ["udp-blocked", true],
    ["tcp-443-only", false],
  ] as const) {
    await withHosts(kind, async (site, host) => {
      const server = servers[0]![0];
      await (await host!.udp()).send("in vain", server.local);
      const { address } = lab.services;
      const seen = (await host!.askTcp({ address, port: 443 })) as SocketAddress;
      assert.equal(seen.address, site.outer);
      const other = await host!.askTcp({ address, port: 8443 }, 300);
      assert.equal(other === "ABORT_ERR", !open);
      assert.deepEqual(server.arrived, []);
    });
  }
});

test("hard maps TCP to any port, hard-sequential to the next, easy-port to the same", async () => {
  const to = { address: lab.services.address, port: 443 };
  await withHosts("hard-sequential", async (_, host) => {
    const seen = [(await host!.askTcp(to)) as SocketAddress, (await host!.askTcp(to)) as SocketAddress];
    assert.equal(seen[1]!.port, seen[0]!.port + 1);
  });
});

test("short-lived forgets a mapping 10 s after its last packet", async () => {
  const [first, second, last] = (await shortLived) as [SocketAddress, SocketAddress, SocketAddress];
  assert.equal(second.port, first.port);
  assert.notEqual(last.port, first.port);
});

/** The same socket as seen twice at once, and once after its mapping's time. */
async function outlive(kind: SiteKind): Promise<SocketAddress[]> {
  const server = await services.udp();
  const client = await new Ports(lab.site(kind).host).udp();
  const seen = [await sourceAt(server, client), await sourceAt(server, client)];
  await setTimeout(11_000); // Nothing tells when a kernel's time is up.
  return [...seen, await sourceAt(server, client)];
}

test("a site that forgets its mappings has other ports, one that is renumbered another address", () =>
  withHosts("easy-random", async (site, host) => {
    const server = servers[0]![0];
    const client = await host!.udp();
    const before = await sourceAt(server, client);
    site.forgetMappings();
    const moved = await sourceAt(server, client);
    assert.deepEqual([moved.address, moved.port === before.port], [before.address, false]);
    site.renumber(9);
    assert.equal((await sourceAt(server, client)).address, before.address.replace(/2$/, "9"));
    await server.send("in vain", moved);
    await client.send("still heard", server.local);
    assert.equal((await server.next()).text, "still heard");
    assert.deepEqual(client.arrived, []);
  }));
