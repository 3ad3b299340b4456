import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf } from "../../../../src/base/errors.ts";
import type { DatagramSocket } from "../../../../src/contract/datagram-socket.ts";
import { Network } from "../../../kit/network.ts";
import { lan, listen, text } from "./stage.ts";

async function codeOfBind(bound: Promise<DatagramSocket>): Promise<string | undefined> {
  return bound.then(
    () => "bound",
    (error: unknown) => codeOf(error),
  );
}

test("datagrams go between the addresses of a segment, IPv4 and IPv6", async () => {
  const { network, a, b, bind } = lan();
  for (const [from, to] of [
    ["192.168.0.1", "192.168.0.2"],
    ["fd00::1", "fd00::2"],
  ] as const) {
    const [one, two] = await Promise.all([bind(a, from, 1000 + 24), bind(b, to)]);
    const heard = listen(two);
    assert.equal(one.send(text("hello"), two.local), "sent");
    assert.deepEqual(heard, [], "never from inside send");
    network.clock.runUntilIdle();
    assert.deepEqual(heard, [`hello from ${from} 1024`]);
    one.close();
    two.close();
  }
});

test("port 0 gives a free ephemeral port, another one each time, the same for the same seed", async () => {
  const ports = async () => {
    const { a, bind } = lan();
    const sockets = await Promise.all(Array.from({ length: 500 }, () => bind(a, "192.168.0.1")));
    return sockets.map((socket) => socket.local.port);
  };
  const first = await ports();
  assert.equal(new Set(first).size, 500);
  assert.ok(first.every((port) => port >= 32_768 && port < 61_000));
  assert.deepEqual(await ports(), first);
});

test("a port is in use for its address, for the wildcard over it, and for nobody else", async () => {
  const { a, bind } = lan();
  const socket = await bind(a, "192.168.0.1", 5000);
  assert.equal(await codeOfBind(bind(a, "192.168.0.1", 5000)), "EADDRINUSE");
  assert.equal(await codeOfBind(bind(a, "0.0.0.0", 5000)), "EADDRINUSE");
  assert.equal(await codeOfBind(bind(a, "127.0.0.1", 5000)), "bound");
  assert.equal(await codeOfBind(bind(a, "::", 5000)), "bound");
  assert.equal(await codeOfBind(bind(a, "fd00::1", 5000)), "EADDRINUSE");
  socket.close();
  assert.equal(await codeOfBind(bind(a, "192.168.0.1", 5000)), "bound");
});

test("binding fails as in Node: foreign address, bad literal, low port, with the message of bind", async () => {
  const { a, bind } = lan();
  assert.equal(await codeOfBind(bind(a, "192.168.0.9")), "EADDRNOTAVAIL");
  assert.equal(await codeOfBind(bind(a, "fe80::1")), "EADDRNOTAVAIL");
  assert.equal(await codeOfBind(bind(a, "nonsense")), "EINVAL");
  await assert.rejects(bind(a, "0.0.0.0", 80), { message: "bind EACCES 0.0.0.0:80", syscall: "bind" });
  const root = lan({ privileged: true });
  assert.equal(await codeOfBind(root.bind(root.a, "0.0.0.0", 80)), "bound");
});

test("a wildcard socket receives on every address of its family and answers from the route's", async () => {
  const { network, a, b, bind } = lan();
  const [client, server] = await Promise.all([bind(a, "0.0.0.0", 4000), bind(b, "0.0.0.0", 5000)]);
  const [heardA, heardB] = [listen(client), listen(server)];
  client.send(text("ping"), { address: "192.168.0.2", port: 5000 });
  network.clock.runUntilIdle();
  server.send(text("pong"), { address: "192.168.0.1", port: 4000 });
  network.clock.runUntilIdle();
  assert.deepEqual(heardB, ["ping from 192.168.0.1 4000"]);
  assert.deepEqual(heardA, ["pong from 192.168.0.2 5000"]);
  client.send(text("wrong family"), { address: "fd00::2", port: 5000 });
  network.clock.runUntilIdle();
  assert.deepEqual(heardA.slice(1), ["EINVAL fd00::2 5000"]);
});

test("a socket on an address is preferred over the wildcard", async () => {
  const { network, a, bind } = lan();
  const six = await bind(a, "::", 5000);
  const four = await bind(a, "192.168.0.1", 5000);
  const loop = await bind(a, "127.0.0.1", 5000);
  const heard = [listen(six), listen(four), listen(loop)];
  const sender = await bind(a, "0.0.0.0", 6000);
  sender.send(text("x"), { address: "127.0.0.1", port: 5000 });
  sender.send(text("y"), { address: "192.168.0.1", port: 5000 });
  network.clock.runUntilIdle();
  assert.deepEqual(heard, [[], ["y from 192.168.0.1 6000"], ["x from 127.0.0.1 6000"]]);
});

test("loopback stays on the host, all of 127.0.0.0/8 and ::1", async () => {
  const { network, a, b, bind } = lan();
  const [there, here] = await Promise.all([bind(b, "127.0.0.1", 5000), bind(a, "127.9.9.9", 5000)]);
  const sender = await bind(a, "127.0.0.1", 4000);
  const [heardThere, heardHere, errors] = [listen(there), listen(here), listen(sender)];
  sender.send(text("x"), here.local);
  sender.send(text("out"), { address: "192.168.0.2", port: 5000 });
  network.clock.runUntilIdle();
  assert.deepEqual([heardThere, heardHere], [[], ["x from 127.0.0.1 4000"]]);
  assert.deepEqual(errors, ["EINVAL 192.168.0.2 5000"]);
  const six = await bind(a, "::1", 7000);
  const heardSix = listen(six);
  six.send(text("self"), six.local);
  network.clock.runUntilIdle();
  assert.deepEqual(heardSix, ["self from ::1 7000"]);
});

test("link-local addresses need their zone and remotes come with one", async () => {
  const { network, a, b, bind } = lan();
  const [one, two] = await Promise.all([bind(a, "fe80::1%eth0", 4000), bind(b, "::", 5000)]);
  const [heardOne, heardTwo] = [listen(one), listen(two)];
  one.send(text("zone of the socket"), { address: "fe80::2", port: 5000 });
  network.clock.runUntilIdle();
  two.send(text("back"), { address: "fe80::1%eth0", port: 4000 });
  two.send(text("no zone"), { address: "fe80::1", port: 4000 });
  network.clock.runUntilIdle();
  assert.deepEqual(heardTwo, ["zone of the socket from fe80::1%eth0 4000", "EINVAL fe80::1 4000"]);
  assert.deepEqual(heardOne, ["back from fe80::2%eth0 5000"]);
});

test("the sender may use its array again at once after sent", async () => {
  const { network, a, b, bind } = lan();
  const [one, two] = await Promise.all([bind(a, "192.168.0.1"), bind(b, "192.168.0.2")]);
  const heard = listen(two);
  const scratch = text("first");
  one.send(scratch, two.local);
  scratch.set(text("other"));
  network.clock.runUntilIdle();
  assert.match(heard[0]!, /^first/);
});

test("a full send queue says queued, reads the array late, refuses a hop limit, and drains", async () => {
  const { network, a, b, bind } = lan();
  const [one, two] = await Promise.all([bind(a, "192.168.0.1", 4000), bind(b, "192.168.0.2")]);
  const [heardOne, heardTwo] = [listen(one), listen(two)];
  a.holdSends();
  const scratch = text("first");
  assert.equal(one.send(scratch, two.local), "queued");
  assert.equal(one.send(text("second"), two.local), "queued");
  assert.equal(one.send(text("low"), two.local, 3), "ENOBUFS");
  scratch.set(text("spoil"));
  network.clock.runUntilIdle();
  assert.deepEqual([heardOne, heardTwo], [[], []]);
  a.drainSends();
  network.clock.runUntilIdle();
  assert.deepEqual(heardOne, ["drain"]);
  assert.deepEqual(heardTwo, ["spoil from 192.168.0.1 4000", "second from 192.168.0.1 4000"]);
  assert.equal(one.send(text("third"), two.local), "sent");
  a.drainSends();
  network.clock.runUntilIdle();
  assert.deepEqual(heardOne, ["drain"], "an empty queue does not drain");
});

test("no drain is told for a queue that has filled again or a socket that was closed", async () => {
  const { network, a, b, bind } = lan();
  const [one, two] = await Promise.all([bind(a, "192.168.0.1"), bind(b, "192.168.0.2")]);
  const heard = listen(one);
  a.holdSends();
  one.send(text("x"), two.local);
  a.drainSends();
  a.holdSends();
  one.send(text("y"), two.local);
  network.clock.runUntilIdle();
  assert.deepEqual(heard, []);
  a.drainSends();
  one.close();
  network.clock.runUntilIdle();
  assert.deepEqual(heard, ["closed"]);
});

test("what cannot be sent fails later or at once as Node does", async () => {
  const { network, a, bind } = lan();
  const socket = await bind(a, "192.168.0.1");
  const heard = listen(socket);
  assert.equal(socket.send(text("x"), { address: "192.168.0.2", port: 0 }), "ERR_SOCKET_BAD_PORT");
  assert.equal(socket.send(new Uint8Array(65_508), { address: "192.168.0.2", port: 9 }), "sent");
  assert.equal(socket.send(text("x"), { address: "junk", port: 9 }), "sent");
  network.clock.runUntilIdle();
  assert.deepEqual(heard, ["EMSGSIZE 192.168.0.2 9", "EINVAL junk 9"]);
  socket.close();
  assert.equal(socket.send(text("x"), { address: "192.168.0.2", port: 9 }), "EBADF");
});

test("a closed socket hears its close once and nothing that was under way", async () => {
  const { network, a, b, bind } = lan();
  const [one, two] = await Promise.all([bind(a, "192.168.0.1"), bind(b, "192.168.0.2")]);
  const heard = listen(two);
  one.send(text("x"), two.local);
  two.close();
  two.close();
  assert.deepEqual(heard, []);
  network.clock.runUntilIdle();
  assert.deepEqual(heard, ["closed"]);
  assert.equal(network.dropped("no socket"), 1);
});

test("a closed port refuses, and only a connected socket is told", async () => {
  const { network, a } = lan();
  for (const address of ["192.168.0.2", "192.168.0.1", "127.0.0.1"]) {
    const remote = { address, port: 9 };
    const open = await a.runtime.bindDatagram!({ address: "0.0.0.0" });
    const connected = await a.runtime.bindDatagram!({ address: "0.0.0.0", connect: remote });
    const heard = [listen(open), listen(connected)];
    open.send(text("x"), remote);
    connected.send(text("x"), remote);
    network.clock.runUntilIdle();
    assert.deepEqual(heard, [[], [`ECONNREFUSED ${address} 9`]]);
  }
});

test("a silent host does not refuse", async () => {
  const { network, a } = lan({ silent: true });
  const remote = { address: "192.168.0.2", port: 9 };
  const socket = await a.runtime.bindDatagram!({ address: "192.168.0.1", connect: remote });
  const heard = listen(socket);
  socket.send(text("x"), remote);
  network.clock.runUntilIdle();
  assert.deepEqual(heard, []);
  assert.equal(network.dropped("no socket"), 1);
});

test("a connected socket has its route's address, sends to its peer alone and hears nobody else", async () => {
  const { network, a, b, bind } = lan();
  const [peer, other] = await Promise.all([bind(b, "192.168.0.2", 5000), bind(b, "192.168.0.2", 5001)]);
  const socket = await a.runtime.bindDatagram!({ address: "0.0.0.0", port: 4000, connect: peer.local });
  assert.deepEqual(socket.local, { address: "192.168.0.1", port: 4000 });
  const heard = [listen(socket), listen(peer), listen(other)];
  socket.send(text("to the peer all the same"), other.local);
  other.send(text("from a stranger"), socket.local);
  peer.send(text("from the peer"), socket.local);
  network.clock.runUntilIdle();
  assert.deepEqual(heard, [
    ["from the peer from 192.168.0.2 5000"],
    ["to the peer all the same from 192.168.0.1 4000"],
    [],
  ]);
});

test("connecting fails as in Node where there is no way", async () => {
  const { a } = lan();
  const connect = (address: string, remote: string) =>
    a.runtime.bindDatagram!({ address, connect: { address: remote, port: 9 } });
  await assert.rejects(connect("127.0.0.1", "192.168.0.2"), { message: "connect EINVAL 192.168.0.2:9" });
  assert.equal(await codeOfBind(connect("0.0.0.0", "fd00::2")), "EINVAL");
  const lonely = new Network().host({ name: "lonely" });
  const nowhere = lonely.runtime.bindDatagram!({
    address: "0.0.0.0",
    connect: { address: "1.2.3.4", port: 9 },
  });
  assert.equal(await codeOfBind(nowhere), "ENETUNREACH");
  assert.deepEqual(lonely.openSockets, []);
});

test("each host has its own randomness, the same for the same seed", () => {
  const draw = (seed: number) => {
    const network = new Network({ seed });
    return ["a", "b"].map((name) => `${network.host({ name }).runtime.random.fill(new Uint8Array(8))}`);
  };
  const [a, b] = draw(1);
  assert.notEqual(a, b);
  assert.deepEqual(draw(1), [a, b]);
  assert.notEqual(draw(2)[0], a);
});

test("two machines cannot have one address on a segment", () => {
  const { network, segment } = lan();
  const third = network.host({ name: "c" });
  assert.throws(() => third.attach(segment, { addresses: ["192.168.0.1"] }), /a has 192\.168\.0\.1/);
  assert.throws(() => third.attach(segment, { addresses: ["nonsense"] }), /not an address/);
  assert.throws(() => third.attach(segment, { addresses: ["10.0.0.1/33"] }), /not a prefix/);
});

test("log lines and packets stand in the trace, open sockets have a list", async () => {
  const { network, a, b, bind } = lan();
  a.runtime.log("dialling %s", "b", { phase: 1 });
  const [one, two] = await Promise.all([bind(a, "192.168.0.1", 4000), bind(b, "fd00::2", 5000)]);
  one.send(Uint8Array.of(0xab), { address: "192.168.0.2", port: 9 });
  network.clock.runUntilIdle();
  assert.deepEqual(
    `${network.trace}`.split("\n").map((line) => line.slice(14)),
    [
      "a logs dialling b { phase: 1 }",
      "a sends 192.168.0.1:4000 > 192.168.0.2:9 ttl 64 1 B ab",
      "b drops 192.168.0.1:4000 > 192.168.0.2:9 ttl 64 1 B ab (no socket)",
      "b sends 192.168.0.2:0 > 192.168.0.1:0 ttl 64 refusal of 192.168.0.1:4000 > 192.168.0.2:9",
    ],
  );
  assert.deepEqual(network.openSockets(), ["a 192.168.0.1:4000", "b [fd00::2]:5000"]);
  one.close();
  two.close();
  assert.deepEqual(network.openSockets(), []);
});
