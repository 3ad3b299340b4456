import assert from "node:assert/strict";
import { test } from "node:test";
import type { SocketAddress } from "../../../../src/contract/datagram-socket.ts";
import type { HostOptions } from "../../../kit/network/host.ts";
import { Network } from "../../../kit/network.ts";
import { lan, listen, text } from "./stage.ts";

test("interfaces tells loopback, every address, the zone index and the MTU", () => {
  const network = new Network();
  const host = network.host({ name: "h" });
  host.attach(network.segment({ name: "l1" }), { addresses: ["10.0.0.1/8"], link: { mtu: 9000 } });
  host.attach(network.segment({ name: "l2" }), { addresses: ["fe80::7", "FD00:0::7/48"] });
  assert.deepEqual(host.runtime.interfaces(), [
    { name: "lo", address: "127.0.0.1", family: "IPv4", prefix: 8, internal: true },
    { name: "lo", address: "::1", family: "IPv6", prefix: 128, internal: true },
    { name: "eth0", address: "10.0.0.1", family: "IPv4", prefix: 8, internal: false, mtu: 9000 },
    { name: "eth1", address: "fe80::7", family: "IPv6", prefix: 64, internal: false, scopeId: 3 },
    { name: "eth1", address: "fd00::7", family: "IPv6", prefix: 48, internal: false },
  ]);
});

/** A host on two LANs, with a peer on each; the peer of the second has an address no interface is near. */
async function multihomed(options: Partial<HostOptions>) {
  const network = new Network();
  const host = network.host({ name: "host", ...options });
  const peers: string[][] = [];
  for (const [index, address] of ["10.1.0.9", "99.0.0.9"].entries()) {
    const segment = network.segment({ name: `lan${index}` });
    host.attach(segment, { addresses: [`10.${index + 1}.0.1/24`] });
    const peer = network.host({ name: `peer${index}`, silent: true });
    peer.attach(segment, { addresses: [`${address}/24`], gateway: true });
    peers.push(listen(await peer.runtime.bindDatagram!({ address: "0.0.0.0", port: 5000 })));
  }
  const send = async (from: string, to: string) => {
    const socket = await host.runtime.bindDatagram!({ address: from, port: 4000 });
    socket.send(text(from), { address: to, port: 5000 });
    network.clock.runUntilIdle();
    socket.close();
  };
  return { network, peers, send };
}

test("with source routing a bound socket leaves by its own interface, a wildcard one by the first way", async () => {
  const { network, peers, send } = await multihomed({});
  await send("10.2.0.1", "99.0.0.9");
  await send("0.0.0.0", "10.1.0.9");
  await send("0.0.0.0", "99.0.0.9");
  assert.deepEqual(peers, [["0.0.0.0 from 10.1.0.1 4000"], ["10.2.0.1 from 10.2.0.1 4000"]]);
  assert.equal(network.dropped("not ours"), 1, "the gateway of the first LAN got the third");
});

test("without source routing a bound socket's datagrams go by the first way, with a foreign source", async () => {
  const { network, send } = await multihomed({ sourceRouting: false });
  const seen: string[] = [];
  network.observer = ({ kind, where, packet }) => {
    if (kind === "dropped") seen.push(`${where} ${packet.source.address}`);
  };
  await send("10.2.0.1", "99.0.0.9");
  assert.deepEqual(seen, ["peer0 10.2.0.1"]);
});

test("a host without any interface of the family has no route", async () => {
  const network = new Network();
  const host = network.host({ name: "h" });
  const heard = listen(await host.runtime.bindDatagram!({ address: "0.0.0.0" }));
  host.openSockets[0]!.send(text("x"), { address: "1.2.3.4", port: 5 });
  network.clock.runUntilIdle();
  assert.deepEqual(heard, ["ENETUNREACH 1.2.3.4 5"]);
});

test("after a detach or a new address the old one neither sends nor receives, the new one does", async () => {
  const { network, segment, a, b, bind } = lan();
  const old = await bind(a, "192.168.0.1", 4000);
  const peer = await bind(b, "192.168.0.2", 5000);
  const [heardOld, heardPeer] = [listen(old), listen(peer)];
  a.renumber("eth0", ["192.168.0.77/24"]);
  old.send(text("x"), peer.local);
  peer.send(text("y"), old.local);
  const fresh = await bind(a, "192.168.0.77", 4000);
  fresh.send(text("z"), peer.local);
  network.clock.runUntilIdle();
  assert.deepEqual(heardOld, ["EINVAL 192.168.0.2 5000"]);
  assert.deepEqual(heardPeer, ["z from 192.168.0.77 4000"]);
  a.detach("eth0");
  assert.equal(a.interfaces().length, 2);
  assert.throws(() => a.detach("eth0"), /no interface eth0/);
  assert.equal(a.attach(segment, { addresses: ["192.168.0.78"] }), "eth1");
  const again = await bind(a, "192.168.0.78");
  again.send(text("w"), peer.local);
  network.clock.runUntilIdle();
  assert.deepEqual(heardPeer.slice(1), [`w from 192.168.0.78 ${again.local.port}`]);
});

test("unplugging loses what is under way in both directions", async () => {
  const network = new Network();
  const segment = network.segment({ name: "lan", link: { latency: 10 } });
  const [a, b] = [network.host({ name: "a" }), network.host({ name: "b" })];
  a.attach(segment, { addresses: ["10.0.0.1"] });
  b.attach(segment, { addresses: ["10.0.0.2"] });
  const remote: SocketAddress = { address: "10.0.0.2", port: 5000 };
  const one = await a.runtime.bindDatagram!({ address: "10.0.0.1" });
  one.send(text("towards b's plug"), remote);
  network.clock.advance(15);
  b.detach("eth0");
  one.send(text("for nobody"), remote);
  network.clock.advance(11);
  one.send(text("from a plug that goes"), remote);
  a.detach("eth0");
  network.clock.runUntilIdle();
  assert.equal(network.dropped("unplugged"), 2);
  assert.equal(network.dropped("no route"), 1);
});

test("a sleeping host hears nothing, its clock stands still, and it goes on where it was", async () => {
  const { network, a, b, bind } = lan();
  const [one, two] = await Promise.all([bind(a, "192.168.0.1", 4000), bind(b, "192.168.0.2", 5000)]);
  const heard = listen(two);
  const before = b.runtime.clock.now();
  b.runtime.clock.setTimer(before + 100, () => heard.push(`timer at ${b.runtime.clock.now() - before}`));
  b.sleep();
  one.send(text("lost"), two.local);
  network.clock.advance(60_000);
  assert.deepEqual(heard, []);
  assert.equal(network.dropped("asleep"), 1);
  b.wake();
  one.send(text("heard"), two.local);
  network.clock.advance(100);
  assert.deepEqual(heard, ["heard from 192.168.0.1 4000", "timer at 100"]);
});
