import assert from "node:assert/strict";
import { test } from "node:test";
import type { NetworkInterface } from "../../../src/contract/runtime.ts";
import { type Reach, reachFrom } from "../../../src/nat/reach.ts";

const LOOPBACK: NetworkInterface = {
  name: "lo",
  address: "127.0.0.1",
  family: "IPv4",
  prefix: 8,
  internal: true,
};

function own(address: string, prefix: number): NetworkInterface {
  const family = address.includes(":") ? "IPv6" : "IPv4";
  return { name: "eth0", address, family, prefix, internal: false };
}

function check(interfaces: readonly NetworkInterface[], expected: Readonly<Record<string, Reach>>): void {
  const reach = reachFrom(interfaces);
  for (const [address, word] of Object.entries(expected)) assert.equal(reach(address), word, address);
}

test("addresses count as the registries say", () => {
  check([LOOPBACK, own("192.168.1.2", 24)], {
    "5.0.0.1": "public",
    "2a00:1::1": "public",
    "10.0.0.1": "private",
    "100.64.0.1": "private",
    "169.254.1.1": "private",
    "fd00::1": "private",
    "127.0.0.1": "forbidden",
    "::1": "forbidden",
    "0.0.0.0": "forbidden",
    "224.0.0.1": "forbidden",
    "ff02::1": "forbidden",
    "203.0.113.1": "forbidden",
    "2001:db8::1": "forbidden",
    "240.0.0.1": "forbidden",
  });
});

test("the broadcast address of a network we are in is forbidden, that of no other is known", () => {
  check([own("192.168.1.2", 24), own("10.1.2.3", 30), own("10.9.0.1", 31)], {
    "192.168.1.255": "forbidden",
    "192.168.2.255": "private",
    "10.1.2.3": "forbidden",
    "10.1.2.2": "private",
    "10.9.0.1": "private",
    "255.255.255.255": "forbidden",
  });
});

test("whatever network we are in is private, unless it is public", () => {
  check([own("203.0.113.7", 24), own("5.0.0.9", 24)], {
    "203.0.113.1": "private",
    "198.51.100.1": "forbidden",
    "5.0.0.1": "public",
  });
});

test("a host that has nothing but loopback may use it", () => {
  check([LOOPBACK], { "127.0.0.1": "private", "::1": "private", "224.0.0.1": "forbidden" });
});
