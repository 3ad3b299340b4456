import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf } from "../../../src/base/errors.ts";
import {
  linkLocalZones,
  listeningRequests,
  ownAddresses,
  relaxedRequest,
} from "../../../src/base/listening.ts";
import type { Endpoint } from "../../../src/contract/endpoint.ts";
import type { NetworkInterface } from "../../../src/contract/runtime.ts";

function own(name: string, address: string, prefix: number, internal = false): NetworkInterface {
  return { name, address, family: address.includes(":") ? "IPv6" : "IPv4", prefix, internal };
}

const LOOPBACK = [own("lo", "127.0.0.1", 8, true), own("lo", "::1", 128, true)];
const LINK_LOCAL = own("eth0", "fe80::1", 64);
const LAN = [own("eth0", "192.168.1.30", 24), own("eth0", "2001:db8::30", 64)];
const HOST = [...LOOPBACK, LAN[0]!, LINK_LOCAL, LAN[1]!];
const ALL = ["192.168.1.30", "2001:db8::30"];

function wish(transportInfo: unknown): Endpoint {
  return { transportType: "tcp", transportInfo } as Endpoint;
}

function requests(infos: readonly unknown[], exclusive = false) {
  return listeningRequests(infos.map(wish), HOST, exclusive);
}

test("a wildcard stands for every address that is neither loopback nor link-local", () => {
  assert.deepEqual(ownAddresses(HOST), ALL);
  assert.deepEqual(ownAddresses(HOST, 4), ["192.168.1.30"]);
  assert.deepEqual(ownAddresses(HOST, 6), ["2001:db8::30"]);
});

test("an IPv4 link-local address counts as any other", () => {
  assert.deepEqual(ownAddresses([...LOOPBACK, own("eth0", "169.254.7.7", 16)]), ["169.254.7.7"]);
});

test("link-local IPv6 is announced only if nothing else exists, loopback after that", () => {
  assert.deepEqual(ownAddresses([...LOOPBACK, LINK_LOCAL]), ["fe80::1%eth0"]);
  assert.deepEqual(ownAddresses(LOOPBACK), ["127.0.0.1", "::1"]);
  assert.deepEqual(ownAddresses([]), []);
});

test("each address is announced once, and no more than 32 in all", () => {
  const many = Array.from({ length: 100 }, (_, i) => own(`eth${i}`, `10.0.${i}.1`, 24));
  assert.deepEqual(ownAddresses([LAN[0]!, ...LAN]), ALL);
  assert.equal(ownAddresses(many).length, 32);
});

test("the zones of a link-local address are the interfaces that have one", () => {
  const loopback = own("lo0", "fe80::1", 64, true);
  assert.deepEqual(linkLocalZones([...HOST, loopback, own("eth0", "fe80::2", 64)]), ["eth0"]);
});

test("without listening entries all own addresses listen on any port", () => {
  const any = [{ bind: "::", addresses: ALL, port: 0 }];
  assert.deepEqual(requests([]), any);
  assert.deepEqual(requests([undefined, null, "tcp", { address: 17 }, { port: 65536 }, { port: 1.5 }]), any);
  assert.deepEqual(requests([{}, { address: null, port: null }, { address: "" }]), any);
  assert.deepEqual(listeningRequests([null], HOST, false), any);
});

test("an address of ours is bound alone, in canonical form", () => {
  assert.deepEqual(requests([{ address: "192.168.1.30", port: 80 }]), [
    { bind: "192.168.1.30", addresses: ["192.168.1.30"], port: 80 },
  ]);
  assert.equal(requests([{ address: "2001:DB8:0::30" }])[0]?.bind, "2001:db8::30");
  assert.equal(requests([{ address: "::ffff:192.168.1.30" }])[0]?.bind, "192.168.1.30");
});

test("the whole loopback network is ours, a neighbour in the subnet is not", () => {
  assert.equal(requests([{ address: "127.1.2.3" }])[0]?.bind, "127.1.2.3");
  assert.equal(requests([{ address: "::1" }])[0]?.bind, "::1");
  assert.equal(requests([{ address: "192.168.1.31" }])[0]?.bind, "::");
});

test("a link-local address of ours is bound in its zone", () => {
  assert.equal(requests([{ address: "fe80::1" }])[0]?.bind, "fe80::1%eth0");
  assert.equal(requests([{ address: "fe80::1%wlan0" }])[0]?.bind, "fe80::1%wlan0");
});

test("wildcards stand for the addresses of their families", () => {
  assert.deepEqual(requests([{ address: "0.0.0.0", port: 9 }]), [
    { bind: "0.0.0.0", addresses: ["192.168.1.30"], port: 9 },
  ]);
  assert.deepEqual(requests([{ address: "::", port: "9" }]), [{ bind: "::", addresses: ALL, port: 9 }]);
});

test("addresses that are not ours stand together for all own ones, the port kept", () => {
  const foreign = [
    { address: "192.168.241.1", port: 7 },
    { address: "localhost", port: 7 },
  ];
  assert.deepEqual(requests(foreign), [{ bind: "::", addresses: ALL, port: 7 }]);
});

test("several entries are several requests", () => {
  const wanted = requests([{ address: "127.0.0.1", port: 1 }, null, { address: "::1", port: 2 }]);
  assert.deepEqual(
    wanted.map(({ bind, port }) => [bind, port]),
    [
      ["127.0.0.1", 1],
      ["::1", 2],
    ],
  );
});

test("exclusive takes addresses literally and refuses what is none", () => {
  assert.equal(requests([{ address: "192.168.241.1", port: 7 }], true)[0]?.bind, "192.168.241.1");
  assert.throws(
    () => requests([{ address: "localhost", port: 7 }], true),
    (error) => codeOf(error) === "EADDRNOTAVAIL",
  );
});

test("a port in use or not permitted gives way to a free one, the address kept", () => {
  const [request] = requests([{ address: "192.168.1.30", port: 80 }]);
  for (const code of ["EADDRINUSE", "EACCES"]) {
    const weaker = relaxedRequest(request!, code, HOST);
    assert.deepEqual(weaker, { ...request, port: 0 });
    assert.equal(relaxedRequest(weaker!, code, HOST), undefined);
  }
});

test("an address that is gone gives way to all own ones, the port kept", () => {
  const [request] = requests([{ address: "192.168.1.30", port: 80 }]);
  const weaker = relaxedRequest(request!, "EADDRNOTAVAIL", HOST);
  assert.deepEqual(weaker, { bind: "::", addresses: ALL, port: 80 });
  assert.equal(relaxedRequest(weaker!, "EADDRNOTAVAIL", HOST), undefined);
});

test("any other failure to bind stands", () => {
  const [request] = requests([{ port: 80 }]);
  assert.equal(relaxedRequest(request!, "EMFILE", HOST), undefined);
  assert.equal(relaxedRequest(request!, undefined, HOST), undefined);
});
