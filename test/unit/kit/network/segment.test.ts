import assert from "node:assert/strict";
import { test } from "node:test";
import type { Packet } from "../../../kit/network/packet.ts";
import type { PlugOptions, Segment, Station } from "../../../kit/network/segment.ts";
import { Network } from "../../../kit/network.ts";

/** A machine that writes down the TTL of what it gets. */
class Listener implements Station {
  readonly name: string;
  readonly heard: number[] = [];

  constructor(name: string) {
    this.name = name;
  }

  receive(packet: Packet): void {
    this.heard.push(packet.ttl);
  }
}

function plug(segment: Segment, name: string, options: PlugOptions) {
  const station = new Listener(name);
  return { station, plug: segment.attach(station, options) };
}

function packetTo(address: string, ttl = 64): Packet {
  const source = { address: "10.0.0.1", port: 1 };
  return { source, target: { address, port: 2 }, data: new Uint8Array(0), ttl };
}

test("a packet goes to the owner of the address, else the longest route, else the gateway", () => {
  const network = new Network();
  const segment = network.segment({ name: "s" });
  const from = plug(segment, "from", { addresses: ["10.0.0.1"] }).plug;
  const owner = plug(segment, "owner", { addresses: ["2001:db8::5"] }).station;
  const short = plug(segment, "short", { addresses: [], routes: ["2001:db8::/32"] }).station;
  const long = plug(segment, "long", { addresses: [], routes: ["2001:db8:7::/48"] }).station;
  const gateway = plug(segment, "gateway", { addresses: ["2001:db8::1"], gateway: true }).station;
  const targets = ["2001:db8::5", "2001:db8:7::1", "2001:db8:8::1", "2a00::1"];
  for (const [index, target] of targets.entries()) from.up.send(packetTo(target, 10 + index));
  network.clock.runUntilIdle();
  assert.deepEqual([owner.heard, long.heard, short.heard, gateway.heard], [[10], [11], [12], [13]]);
});

test("a gateway serves only the families it has an address of", () => {
  const network = new Network();
  const segment = network.segment({ name: "s" });
  const from = plug(segment, "from", { addresses: ["10.0.0.1"] }).plug;
  const six = plug(segment, "six", { addresses: ["fd00::1"], gateway: true }).station;
  const four = plug(segment, "four", { addresses: ["10.0.0.9"], gateway: true }).station;
  from.up.send(packetTo("1.2.3.4", 4));
  from.up.send(packetTo("2a00::1", 6));
  network.clock.runUntilIdle();
  assert.deepEqual([four.heard, six.heard], [[4], [6]]);
});

test("what has no route, or would go back where it came from, is dropped", () => {
  const network = new Network();
  const segment = network.segment({ name: "s" });
  const from = plug(segment, "from", { addresses: ["10.0.0.1"], gateway: true }).plug;
  from.up.send(packetTo("1.2.3.4"));
  from.up.send(packetTo("10.0.0.1"));
  network.clock.runUntilIdle();
  assert.equal(network.dropped("no route"), 2);
  assert.equal(network.dropped(), 2);
});

test("hops are taken off the limit, and who has too few does not arrive", () => {
  const network = new Network();
  const segment = network.segment({ name: "s", hops: 8 });
  const from = plug(segment, "from", { addresses: ["10.0.0.1"] }).plug;
  const to = plug(segment, "to", { addresses: ["10.0.0.2"] }).station;
  for (const ttl of [1, 8, 9, 64]) from.up.send(packetTo("10.0.0.2", ttl));
  network.clock.runUntilIdle();
  assert.deepEqual(to.heard, [1, 56]);
  assert.equal(network.dropped("ttl"), 2);
});

test("each direction of each plug has its own link, the segment's unless it brings one", () => {
  const network = new Network();
  const segment = network.segment({ name: "s", link: { latency: 5 } });
  const from = plug(segment, "from", {
    addresses: ["10.0.0.1"],
    link: { up: { latency: 1 }, down: { latency: 1000 } },
  }).plug;
  const { station: to, plug: toPlug } = plug(segment, "to", { addresses: ["10.0.0.2"] });
  from.up.send(packetTo("10.0.0.2"));
  network.clock.advance(5.9);
  assert.deepEqual(to.heard, []);
  network.clock.advance(0.1);
  assert.deepEqual(to.heard, [64]);
  toPlug.down.link.change({ cut: true });
  from.up.send(packetTo("10.0.0.2"));
  network.clock.runUntilIdle();
  assert.equal(network.dropped("link cut"), 1);
});

test("a later packet on a link that has become quicker is not forgotten", () => {
  const network = new Network();
  const segment = network.segment({ name: "s" });
  const from = plug(segment, "from", {
    addresses: ["10.0.0.1"],
    link: { reorder: 1, reorderDelay: 50 },
  }).plug;
  const to = plug(segment, "to", { addresses: ["10.0.0.2"], link: {} }).station;
  from.up.send(packetTo("10.0.0.2", 1));
  from.up.link.change({ reorder: 0 });
  from.up.send(packetTo("10.0.0.2", 2));
  network.clock.advance(1);
  assert.deepEqual(to.heard, [2]);
  assert.equal(network.clock.armed, 1, "one timer a cable");
  network.clock.runUntilIdle();
  assert.deepEqual(to.heard, [2, 1]);
  assert.equal(network.clock.armed, 0);
});
