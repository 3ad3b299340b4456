import assert from "node:assert/strict";
import { test } from "node:test";
import type { DatagramSocket, SocketAddress } from "../../../../src/contract/datagram-socket.ts";
import { home } from "../../../kit/network/home.ts";
import type { Host } from "../../../kit/network/host.ts";
import type { NatOptions } from "../../../kit/network/nat.ts";
import { Network } from "../../../kit/network.ts";
import { listen, text } from "./stage.ts";

const NAT: NatOptions = {
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
  ports: "random",
};

const SERVER: SocketAddress = { address: "8.0.0.1", port: 3478 };

/** An internet with a server that answers each datagram with the endpoint it sees. */
async function internetWithServer(hops = 0) {
  const network = new Network();
  const internet = network.segment({ name: "internet", hops });
  const server = network.host({ name: "server" });
  server.attach(internet, { addresses: [SERVER.address, "2001:db8:99::1"] });
  for (const address of [SERVER.address, "2001:db8:99::1"]) {
    const socket = await server.runtime.bindDatagram!({ address, port: SERVER.port });
    socket.attach({
      onDatagram: (_data, remote) => void socket.send(text(JSON.stringify(remote)), remote),
    });
  }
  return { network, internet, server };
}

/** Asks the server how it sees `socket`; undefined if no answer comes. */
function reflexive(network: Network, socket: DatagramSocket, server = SERVER): SocketAddress | undefined {
  let seen: SocketAddress | undefined;
  socket.attach({ onDatagram: (data) => (seen = JSON.parse(Buffer.from(data).toString())) });
  socket.send(text("who am I"), server);
  network.clock.runUntilIdle();
  return seen;
}

function bind(host: Host, address: string, port = 0): Promise<DatagramSocket> {
  return host.runtime.bindDatagram!({ address, port });
}

test("through a NAT the server sees the router's address, and its answer comes back", async () => {
  const { network, internet } = await internetWithServer();
  const { host } = home(network, { name: "alice", uplink: internet, outer: ["5.0.0.1"], nat: NAT });
  const socket = await bind(host, "192.168.1.2", 5000);
  const seen = reflexive(network, socket);
  assert.equal(seen?.address, "5.0.0.1");
  assert.notEqual(seen?.port, 5000);
  assert.deepEqual(reflexive(network, socket), seen);
});

test("through double NAT the server sees the outermost address", async () => {
  const { network, internet } = await internetWithServer();
  const provider = home(network, {
    name: "provider",
    uplink: internet,
    outer: ["5.0.0.1"],
    inner: ["100.64.0.1/10"],
    nat: NAT,
    hosts: 0,
  });
  const { host, router } = home(network, {
    name: "alice",
    uplink: provider.lan,
    outer: ["100.64.0.2/10"],
    nat: NAT,
  });
  const seen = reflexive(network, await bind(host, "192.168.1.2"));
  assert.equal(seen?.address, "5.0.0.1");
  assert.equal(router.nat?.outer, "100.64.0.2");
});

test("every router and every hop of the internet takes one off the limit", async () => {
  const { network, internet } = await internetWithServer(3);
  const provider = home(network, {
    name: "provider",
    uplink: internet,
    outer: ["5.0.0.1"],
    inner: ["100.64.0.1/10"],
    nat: NAT,
    hosts: 0,
  });
  const { host } = home(network, {
    name: "alice",
    uplink: provider.lan,
    outer: ["100.64.0.2/10"],
    nat: NAT,
  });
  const socket = await bind(host, "192.168.1.2");
  const deaths: string[] = [];
  const arrived: number[] = [];
  network.observer = ({ kind, where, packet, reason }) => {
    if (reason === "ttl") deaths.push(where);
    if (kind === "received" && where === "server") arrived.push(packet.ttl);
  };
  for (const ttl of [1, 2, 3, 5, 6, 64]) socket.send(text("x"), SERVER, ttl);
  network.clock.runUntilIdle();
  assert.deepEqual(deaths, ["alice-router", "provider-router", "internet", "internet"]);
  assert.deepEqual(arrived, [1, 59]);
});

test("a datagram that dies at a NAT's far side has opened it, one that dies at the NAT has not", async () => {
  const { network, internet, server } = await internetWithServer(8);
  const { host } = home(network, { name: "alice", uplink: internet, outer: ["5.0.0.1"], nat: NAT });
  const socket = await bind(host, "192.168.1.2");
  const heard = listen(socket);
  const seen = reflexive(network, socket)!;
  socket.attach({ onDatagram: (data, { port }) => heard.push(`${Buffer.from(data)} ${port}`) });
  const [one, two] = await Promise.all([bind(server, SERVER.address), bind(server, SERVER.address)]);
  socket.send(text("x"), one.local, 2);
  socket.send(text("x"), two.local, 1);
  network.clock.runUntilIdle();
  one.send(text("let in"), seen);
  two.send(text("filtered"), seen);
  network.clock.runUntilIdle();
  assert.deepEqual(heard, [`let in ${one.local.port}`]);
  assert.equal(network.dropped("filtered"), 1);
});

test("hairpinning joins two hosts of one LAN by their outer endpoints, without it they stay apart", async () => {
  for (const hairpin of [true, false]) {
    const { network, internet } = await internetWithServer();
    const { hosts } = home(network, {
      name: "alice",
      uplink: internet,
      outer: ["5.0.0.1"],
      nat: { ...NAT, filtering: "endpoint-independent", hairpin },
      hosts: 2,
    });
    const [one, two] = await Promise.all([bind(hosts[0]!, "192.168.1.2"), bind(hosts[1]!, "192.168.1.3")]);
    const seenOne = reflexive(network, one)!;
    const seenTwo = reflexive(network, two)!;
    const heard = listen(two);
    one.send(text("hi"), seenTwo);
    network.clock.runUntilIdle();
    assert.deepEqual(heard, hairpin ? [`hi from 5.0.0.1 ${seenOne.port}`] : []);
    assert.equal(network.dropped("hairpin"), hairpin ? 0 : 1);
  }
});

test("after a reboot old mappings are gone and the host is seen anew", async () => {
  const { network, internet, server } = await internetWithServer();
  const { host, router } = home(network, {
    name: "alice",
    uplink: internet,
    outer: ["5.0.0.1"],
    nat: { ...NAT, filtering: "endpoint-independent" },
  });
  const socket = await bind(host, "192.168.1.2");
  const before = reflexive(network, socket)!;
  const stranger = await bind(server, SERVER.address);
  router.reboot();
  stranger.send(text("x"), before);
  network.clock.runUntilIdle();
  assert.equal(network.dropped("no mapping"), 1);
  assert.notEqual(reflexive(network, socket)!.port, before.port);
  router.reboot(["5.0.0.77"]);
  assert.equal(reflexive(network, socket)!.address, "5.0.0.77");
  assert.match(`${network.trace}`, /alice-router reboots/);
});

test("a mapping dies in virtual time", async () => {
  const { network, internet, server } = await internetWithServer();
  const { host } = home(network, {
    name: "alice",
    uplink: internet,
    outer: ["5.0.0.1"],
    nat: { ...NAT, filtering: "endpoint-independent", lifetime: 30_000 },
  });
  const socket = await bind(host, "192.168.1.2");
  const seen = reflexive(network, socket)!;
  const heard = listen(socket);
  const stranger = await bind(server, SERVER.address);
  for (const pause of [29_000, 29_000, 30_001]) {
    network.clock.advance(pause);
    stranger.send(text("x"), seen);
    network.clock.runUntilIdle();
  }
  assert.equal(heard.length, 2);
});

test("an IPv6 firewall lets in answers only, and without one everything passes", async () => {
  for (const [index, firewall] of [{}, { filtering: "endpoint-independent" as const }, undefined].entries()) {
    const { network, internet, server } = await internetWithServer();
    const { host } = home(network, {
      name: "alice",
      uplink: internet,
      outer: ["5.0.0.1", "2001:db8:99::5"],
      inner: ["192.168.1.1/24", "2001:db8:1::1/64"],
      nat: NAT,
      ...(firewall && { firewall }),
    });
    const socket = await bind(host, "2001:db8:1::2", 5000);
    const stranger = await bind(server, "2001:db8:99::1", 9999);
    const knock = () => {
      const heard = listen(socket);
      stranger.send(text("knock"), socket.local);
      network.clock.runUntilIdle();
      return heard.length === 1;
    };
    assert.equal(knock(), index === 2, "before anything went out");
    const seen = reflexive(network, socket, { address: "2001:db8:99::1", port: SERVER.port });
    assert.deepEqual(seen, socket.local, "not translated, and answered");
    assert.equal(knock(), index >= 1, "from an endpoint that was never sent to");
    network.clock.advance(120_000);
    assert.equal(knock(), index === 2, "after two minutes of silence");
  }
});

test("a refusal crosses NAT and firewall back to the socket that was refused", async () => {
  const { network, internet } = await internetWithServer();
  const { host } = home(network, {
    name: "alice",
    uplink: internet,
    outer: ["5.0.0.1", "2001:db8:99::5"],
    inner: ["192.168.1.1/24", "2001:db8:1::1/64"],
    nat: NAT,
    firewall: {},
  });
  const heard: string[][] = [];
  for (const [address, server] of [
    ["192.168.1.2", SERVER.address],
    ["2001:db8:1::2", "2001:db8:99::1"],
  ] as const) {
    const remote = { address: server, port: 9 };
    const socket = await host.runtime.bindDatagram!({ address, connect: remote });
    heard.push(listen(socket));
    socket.send(text("x"), remote);
  }
  network.clock.runUntilIdle();
  assert.deepEqual(heard, [["ECONNREFUSED 8.0.0.1 9"], ["ECONNREFUSED 2001:db8:99::1 9"]]);
});

test("the router's own addresses offer no service, and the NAT's outer one is silent", async () => {
  const { network, internet, server } = await internetWithServer();
  const { host } = home(network, { name: "alice", uplink: internet, outer: ["5.0.0.1"], nat: NAT });
  const gateway = { address: "192.168.1.1", port: 5351 };
  const inside = await host.runtime.bindDatagram!({ address: "192.168.1.2", connect: gateway });
  const heard = listen(inside);
  inside.send(text("x"), gateway);
  const outside = await bind(server, SERVER.address);
  outside.send(text("x"), { address: "5.0.0.1", port: 5351 });
  network.clock.runUntilIdle();
  assert.deepEqual(heard, ["ECONNREFUSED 192.168.1.1 5351"]);
  assert.deepEqual([network.dropped("no service"), network.dropped("no mapping")], [1, 1]);
});

test("private addresses do not leave their LAN and are not reached from outside", async () => {
  const { network, internet, server } = await internetWithServer();
  const { host } = home(network, { name: "alice", uplink: internet, outer: ["5.0.0.1"], nat: NAT });
  const heard = listen(await bind(host, "192.168.1.2", 5000));
  const stranger = await bind(server, SERVER.address);
  stranger.send(text("x"), { address: "192.168.1.2", port: 5000 });
  network.clock.runUntilIdle();
  assert.deepEqual(heard, []);
  assert.equal(network.dropped("no route"), 1);
});

test("plain routers in a chain route both ways, each to what is beyond it", async () => {
  const { network, internet } = await internetWithServer();
  const middle = network.segment({ name: "middle" });
  network.router({
    name: "outer-router",
    outside: { segment: internet, addresses: ["8.0.0.2"] },
    inside: [{ segment: middle, addresses: ["10.1.0.1/16"], beyond: ["10.2.0.0/16"] }],
  });
  const near = home(network, {
    name: "near",
    uplink: middle,
    outer: ["10.1.0.2/16"],
    inner: ["10.2.0.1/16"],
  });
  const socket = await bind(near.host, "10.2.0.2", 5000);
  assert.deepEqual(reflexive(network, socket), socket.local);
});

test("two LANs of one router see each other untranslated", async () => {
  const { network, internet } = await internetWithServer();
  const lans = [network.segment({ name: "one" }), network.segment({ name: "two" })];
  network.router({
    name: "router",
    outside: { segment: internet, addresses: ["5.0.0.1"] },
    inside: lans.map((segment, index) => ({ segment, addresses: [`10.0.${index}.1/24`] })),
    nat: NAT,
  });
  const sockets = await Promise.all(
    lans.map((segment, index) => {
      const host = network.host({ name: `host${index}` });
      host.attach(segment, { addresses: [`10.0.${index}.2/24`] });
      return bind(host, `10.0.${index}.2`, 5000);
    }),
  );
  const heard = listen(sockets[1]!);
  sockets[0]!.send(text("hi"), sockets[1]!.local);
  network.clock.runUntilIdle();
  assert.deepEqual(heard, ["hi from 10.0.0.2 5000"]);
  const nobody = { address: "10.0.0.99", port: 1 };
  sockets[0]!.send(text("x"), nobody);
  network.clock.runUntilIdle();
  assert.equal(network.dropped("no route"), 1);
});

test("a NAT needs an outer IPv4 address", () => {
  const network = new Network();
  const uplink = network.segment({ name: "internet" });
  assert.throws(() => home(network, { name: "a", uplink, outer: ["fd00::1"], nat: NAT }), /no outer IPv4/);
});

test("the flows of several hosts share the rate of one cable", async () => {
  const { network, internet, server } = await internetWithServer();
  const rate = 8e6;
  const { hosts } = home(network, {
    name: "alice",
    uplink: internet,
    outer: ["5.0.0.1"],
    nat: NAT,
    hosts: 2,
    link: { up: { rate, queueBytes: 50_000 }, down: {} },
  });
  let bytes = 0;
  const sink = await bind(server, SERVER.address, 9000);
  sink.attach({
    onDatagram: (data) => {
      bytes += data.length + 28;
    },
  });
  for (const [index, host] of hosts.entries()) {
    const socket = await bind(host, `192.168.1.${index + 2}`);
    const send = () => {
      socket.send(new Uint8Array(972), sink.local);
      if (network.clock.now() < 3000) network.clock.setTimer(network.clock.now() + 1, send);
    };
    send();
  }
  network.clock.advanceTo(2000);
  assert.ok(Math.abs(bytes - 1_000_000) <= 2000, `${bytes} bytes in a second at 1 MB/s`);
  network.clock.runUntilIdle();
  assert.ok(network.dropped("link queue") > 900);
});
