import assert from "node:assert/strict";
import { test } from "node:test";
import { contains, knownAddress, parseSubnet, readAddress } from "../../../kit/network/address.ts";

test("a literal is read once into text, zone, family and scope", () => {
  const read = readAddress("FE80:0::1%eth0")!;
  assert.deepEqual([read.text, read.zone, read.family, read.zoned], ["fe80::1", "eth0", 6, true]);
  assert.equal(readAddress("FE80:0::1%eth0"), read);
  assert.equal(readAddress("0.0.0.0")!.wildcard && readAddress("::")!.wildcard, true);
  assert.equal(readAddress("169.254.0.1")!.zoned, false, "IPv4 has no zones");
  assert.equal(readAddress("no literal"), undefined);
  assert.equal(readAddress("no literal"), undefined, "also the second time");
  assert.throws(() => knownAddress("no literal"), /not an address/);
});

test("a subnet is an address with a prefix length, /24 and /64 if none is said", () => {
  const bare = ({ address, prefix }: ReturnType<typeof parseSubnet>) => [address.text, prefix];
  assert.deepEqual(bare(parseSubnet("10.1.2.3")), ["10.1.2.3", 24]);
  assert.deepEqual(bare(parseSubnet("10.1.2.3/8")), ["10.1.2.3", 8]);
  assert.deepEqual(bare(parseSubnet("2001:DB8:0::1")), ["2001:db8::1", 64]);
  for (const wrong of ["", "x/8", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/x", "fe80::1%eth0", "::1/129"]) {
    assert.throws(() => parseSubnet(wrong), RangeError, wrong);
  }
});

test("a subnet contains the addresses of its prefix and family", () => {
  const subnet = parseSubnet("10.1.2.3/16");
  assert.equal(contains(subnet, knownAddress("10.1.255.255")), true);
  assert.equal(contains(subnet, knownAddress("10.2.0.0")), false);
  assert.equal(contains(subnet, knownAddress("::")), false);
});
