import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../../../src/base/random.ts";
import type { SocketAddress } from "../../../../src/contract/datagram-socket.ts";
import type { Dependence } from "../../../kit/network/filter.ts";
import { Nat, type NatOptions } from "../../../kit/network/nat.ts";
import type { Packet } from "../../../kit/network/packet.ts";

const OUTER = "5.0.0.1";
const INNER: SocketAddress = { address: "192.168.1.2", port: 5000 };
const WORDS: readonly Dependence[] = [
  "endpoint-independent",
  "address-dependent",
  "address-and-port-dependent",
];

/** Three remote endpoints: one, another port of the same address, another address. */
const ONE: SocketAddress = { address: "6.0.0.1", port: 100 };
const OTHER_PORT: SocketAddress = { address: "6.0.0.1", port: 200 };
const OTHER_ADDRESS: SocketAddress = { address: "7.0.0.1", port: 100 };

function datagram(source: SocketAddress, target: SocketAddress): Packet {
  return { source, target, data: Uint8Array.of(1), ttl: 60 };
}

class Lab {
  readonly nat: Nat;
  now = 0;

  constructor(options: Partial<NatOptions> = {}, seed = 1) {
    const full: NatOptions = {
      mapping: "endpoint-independent",
      filtering: "address-and-port-dependent",
      ...options,
    };
    this.nat = new Nat(full, OUTER, seededRandom(seed));
  }

  /** Sends out; the outer source. */
  out(remote: SocketAddress, inner = INNER): SocketAddress {
    const verdict = this.nat.outbound(datagram(inner, remote), this.now);
    assert.ok("packet" in verdict && verdict.to === "outside", JSON.stringify(verdict));
    assert.deepEqual(verdict.packet.target, remote);
    return verdict.packet.source;
  }

  /** Sends in; the inner target, or why not. */
  in(remote: SocketAddress, outer: SocketAddress): SocketAddress | string {
    const verdict = this.nat.inbound(datagram(remote, outer), this.now);
    if ("drop" in verdict) return verdict.drop;
    assert.equal(verdict.to, "inside");
    assert.deepEqual(verdict.packet.source, remote);
    return verdict.packet.target;
  }
}

for (const [index, mapping] of WORDS.entries()) {
  test(`${mapping} mapping reuses the outer port as far as the word says`, () => {
    const lab = new Lab({ mapping, ports: "random" });
    const first = lab.out(ONE);
    assert.equal(first.address, OUTER);
    assert.deepEqual(lab.out(ONE), first);
    assert.equal(lab.out(OTHER_PORT).port === first.port, index <= 1);
    assert.equal(lab.out(OTHER_ADDRESS).port === first.port, index === 0);
  });
}

for (const [index, filtering] of WORDS.entries()) {
  for (const mapping of WORDS) {
    test(`${filtering} filtering lets in whom the word says, with ${mapping} mapping`, () => {
      const lab = new Lab({ mapping, filtering });
      const outer = lab.out(ONE);
      assert.deepEqual(lab.in(ONE, outer), INNER);
      assert.deepEqual(lab.in(OTHER_PORT, outer), index <= 1 ? INNER : "filtered");
      assert.deepEqual(lab.in(OTHER_ADDRESS, outer), index === 0 ? INNER : "filtered");
    });
  }
}

test("nothing comes in where nothing has gone out", () => {
  const lab = new Lab({ filtering: "endpoint-independent" });
  assert.equal(lab.in(ONE, { address: OUTER, port: 5000 }), "no mapping");
  lab.out(ONE);
  assert.equal(lab.in(ONE, { address: OUTER, port: 5001 }), "no mapping");
  assert.equal(lab.in(ONE, { address: "192.168.1.2", port: 5000 }), "no mapping");
});

test("preserving keeps the inner port, and gives another one to the second who wants it", () => {
  const lab = new Lab({ ports: "preserving" });
  assert.equal(lab.out(ONE).port, 5000);
  const second = { address: "192.168.1.3", port: 5000 };
  const outer = lab.out(ONE, second);
  assert.notEqual(outer.port, 5000);
  assert.deepEqual(lab.in(ONE, outer), second);
  assert.deepEqual(lab.in(ONE, { address: OUTER, port: 5000 }), INNER);
  assert.notEqual(lab.out(ONE, { ...INNER, port: 80 }).port, 80, "well-known ports are not handed out");
});

for (const step of [1, 2, -3, 256]) {
  test(`sequential ports go by ${step}`, () => {
    const lab = new Lab({ mapping: "address-and-port-dependent", ports: { sequential: step } }, 5);
    const first = lab.out({ ...ONE, port: 1 }).port;
    const ports = [2, 3, 4].map((port) => lab.out({ ...ONE, port }).port);
    assert.deepEqual(ports, [first + step, first + 2 * step, first + 3 * step]);
  });
}

test("sequential ports wrap inside the range and pass over ports in use", () => {
  const lab = new Lab({ mapping: "address-and-port-dependent", ports: { sequential: 20_000 } });
  const ports = Array.from({ length: 50 }, (_, i) => lab.out({ ...ONE, port: i + 1 }).port);
  assert.ok(ports.every((port) => port >= 1024 && port <= 65535));
  assert.equal(new Set(ports).size, 50);
});

test("random ports are spread over the whole range and never given twice", () => {
  const lab = new Lab({ mapping: "address-and-port-dependent", ports: "random" });
  const ports = Array.from({ length: 5000 }, (_, i) => lab.out({ ...ONE, port: i + 1 }).port);
  assert.equal(new Set(ports).size, 5000);
  assert.ok(Math.min(...ports) < 1200 && Math.max(...ports) > 65_300 && Math.min(...ports) >= 1024);
  const mean = ports.reduce((sum, port) => sum + port) / ports.length;
  assert.ok(Math.abs(mean - 33_280) < 1000, `mean ${mean}`);
});

test("a NAT that has no port left drops, and has ports again after the mappings have died", () => {
  const lab = new Lab({ mapping: "address-and-port-dependent", ports: "random", lifetime: 1000 });
  for (let i = 0; i < 64_512; i++) {
    lab.out({ address: `6.0.${i >> 15}.1`, port: 1 + (i & 0x7fff) });
  }
  const refused = lab.nat.outbound(datagram(INNER, OTHER_ADDRESS), lab.now);
  assert.deepEqual(refused, { drop: "out of ports" });
  lab.now = 1000;
  assert.equal(lab.out(OTHER_ADDRESS).address, OUTER);
});

test("a mapping dies when its lifetime has passed since the last packet", () => {
  const lab = new Lab({ lifetime: 1000, ports: "random" });
  const outer = lab.out(ONE);
  lab.now = 999;
  assert.deepEqual(lab.in(ONE, outer), INNER);
  lab.now = 1998;
  assert.deepEqual(lab.in(ONE, outer), INNER);
  lab.now = 2998;
  assert.equal(lab.in(ONE, outer), "no mapping");
  assert.notEqual(lab.out(ONE).port, outer.port);
});

test("without other word a mapping lives two minutes", () => {
  const lab = new Lab();
  const outer = lab.out(ONE);
  lab.now = 119_999;
  assert.deepEqual(lab.in(ONE, outer), INNER);
  lab.now += 120_000;
  assert.equal(lab.in(ONE, outer), "no mapping");
});

test("outbound refresh alone lets a mapping die under inbound traffic", () => {
  const lab = new Lab({ lifetime: 1000, refresh: "outbound" });
  const outer = lab.out(ONE);
  lab.now = 600;
  assert.deepEqual(lab.in(ONE, outer), INNER);
  lab.now = 1000;
  assert.equal(lab.in(ONE, outer), "no mapping");
});

test("inbound refresh alone lets a mapping die under outbound traffic", () => {
  const lab = new Lab({ lifetime: 1000, refresh: "inbound" });
  const outer = lab.out(ONE);
  lab.now = 600;
  lab.out(ONE);
  lab.now = 1000;
  assert.equal(lab.in(ONE, outer), "no mapping");
  const again = lab.out(ONE);
  lab.now = 1600;
  lab.in(ONE, again);
  lab.now = 2500;
  assert.deepEqual(lab.in(ONE, again), INNER);
});

test("a mapping nobody has answered lives shorter", () => {
  const lab = new Lab({ lifetime: 120_000, unrepliedLifetime: 30_000 });
  const silent = lab.out(ONE);
  lab.now = 30_000;
  assert.equal(lab.in(ONE, silent), "no mapping");
  const answered = lab.out(ONE);
  lab.in(ONE, answered);
  lab.now += 119_999;
  assert.deepEqual(lab.in(ONE, answered), INNER);
});

test("each remote has a lifetime of its own in the filter", () => {
  const lab = new Lab({ lifetime: 1000 });
  const outer = lab.out(ONE);
  lab.now = 900;
  lab.out(OTHER_ADDRESS);
  lab.now = 1100;
  assert.equal(lab.in(ONE, outer), "filtered");
  assert.deepEqual(lab.in(OTHER_ADDRESS, outer), INNER);
});

test("hairpinning shows the sender by its outer endpoint and passes the filter", () => {
  const second = { address: "192.168.1.3", port: 6000 };
  const lab = new Lab({ hairpin: true });
  const target = lab.out(ONE, second);
  const blocked = lab.nat.outbound(datagram(INNER, target), lab.now);
  assert.deepEqual(blocked, { drop: "filtered" });
  const source = lab.out(ONE);
  const opened = lab.nat.outbound(datagram(second, source), lab.now);
  assert.ok("packet" in opened && opened.to === "inside");
  assert.deepEqual([opened.packet.source, opened.packet.target], [target, INNER]);
});

test("without hairpinning packets to the outer address from inside are dropped", () => {
  const lab = new Lab({ filtering: "endpoint-independent" });
  const outer = lab.out(ONE);
  assert.deepEqual(lab.nat.outbound(datagram(INNER, outer), 0), { drop: "hairpin" });
});

test("a reboot forgets mappings and may bring another address, forwarded ports stay", () => {
  const lab = new Lab({ ports: "random" });
  const before = lab.out(ONE);
  const kept = { address: "192.168.1.9", port: 22 };
  lab.nat.forward(2222, kept);
  lab.nat.reboot("5.0.0.9");
  assert.equal(lab.nat.outer, "5.0.0.9");
  assert.equal(lab.in(ONE, { ...before, address: "5.0.0.9" }), "no mapping");
  assert.deepEqual(lab.in(ONE, { address: "5.0.0.9", port: 2222 }), kept);
  const after = lab.out(ONE);
  assert.equal(after.address, "5.0.0.9");
  assert.notEqual(after.port, before.port);
});

test("a forwarded port lets everybody in, never dies, and is what its host is seen by", () => {
  const lab = new Lab({ lifetime: 1000 });
  lab.out(ONE);
  lab.nat.forward(4444, INNER);
  lab.now = 10_000_000;
  assert.deepEqual(lab.in(OTHER_ADDRESS, { address: OUTER, port: 4444 }), INNER);
  assert.equal(lab.out(ONE).port, 4444);
  lab.nat.unforward(4444);
  assert.equal(lab.in(ONE, { address: OUTER, port: 4444 }), "no mapping");
});

test("the trap changes the port towards the endpoint that knocked, for as long as that goes on", () => {
  const lab = new Lab({ acceptsUnsolicited: true });
  const outer = lab.out(OTHER_ADDRESS);
  assert.equal(outer.port, 5000);
  assert.equal(lab.in(ONE, outer), "trapped");
  const moved = lab.out(ONE);
  assert.notEqual(moved.port, 5000);
  assert.equal(lab.out(OTHER_ADDRESS).port, 5000, "others see the old port");
  assert.equal(lab.out(OTHER_PORT).port, 5000, "another port of the same address as well");
  lab.now = 29_000;
  assert.equal(lab.in(ONE, outer), "trapped");
  lab.now = 45_000;
  assert.equal(lab.out(ONE).port, moved.port, "the entry was refreshed by the second knock");
  assert.deepEqual(lab.in(ONE, moved), INNER);
});

test("the trap springs also for a port that is not mapped yet, and not after 30 s of silence", () => {
  const lab = new Lab({ acceptsUnsolicited: true });
  assert.equal(lab.in(ONE, { address: OUTER, port: 5000 }), "trapped");
  assert.notEqual(lab.out(ONE).port, 5000);
  const later = new Lab({ acceptsUnsolicited: true });
  later.in(ONE, { address: OUTER, port: 5000 });
  later.now = 30_000;
  assert.equal(later.out(ONE).port, 5000);
});

test("whoever sends first is not trapped", () => {
  const lab = new Lab({ acceptsUnsolicited: true });
  const outer = lab.out(ONE);
  assert.deepEqual(lab.in(ONE, outer), INNER);
  assert.equal(lab.out(ONE).port, 5000);
});

test("a box with the trap refuses, one without is silent", () => {
  const knock = datagram(ONE, { address: OUTER, port: 5000 });
  assert.deepEqual(new Lab({ acceptsUnsolicited: true }).nat.inbound(knock, 0), {
    drop: "trapped",
    refuse: true,
  });
  assert.deepEqual(new Lab().nat.inbound(knock, 0), { drop: "no mapping" });
});

test("a box may refuse what no mapping lets in, without the trap", () => {
  const lab = new Lab({ refusesUnsolicited: true });
  const knock = datagram(ONE, { address: OUTER, port: 5000 });
  assert.deepEqual(lab.nat.inbound(knock, 0), { drop: "no mapping", refuse: true });
  assert.equal(lab.out(ONE).port, 5000);
});

test("ICMP errors are translated both ways together with the flow they quote", () => {
  const lab = new Lab();
  const outer = lab.out(ONE);
  const quiet = { data: new Uint8Array(0), ttl: 60 };
  const fromOutside = lab.nat.inbound(
    {
      ...quiet,
      source: { ...ONE, port: 0 },
      target: { ...outer, port: 0 },
      refused: { source: outer, target: ONE },
    },
    0,
  );
  assert.ok("packet" in fromOutside);
  assert.equal(fromOutside.packet.target.address, INNER.address);
  assert.deepEqual(fromOutside.packet.refused, { source: INNER, target: ONE });
  const fromInside = lab.nat.outbound(
    {
      ...quiet,
      source: { ...INNER, port: 0 },
      target: { ...ONE, port: 0 },
      refused: { source: ONE, target: INNER },
    },
    0,
  );
  assert.ok("packet" in fromInside);
  assert.equal(fromInside.packet.source.address, OUTER);
  assert.deepEqual(fromInside.packet.refused, { source: ONE, target: outer });
  const stray = {
    ...quiet,
    source: { ...ONE, port: 0 },
    target: { address: OUTER, port: 0 },
    refused: { source: { address: OUTER, port: 1 }, target: ONE },
  };
  assert.deepEqual(lab.nat.inbound(stray, 0), { drop: "no mapping" });
});
