import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSocketAddress, socketEndpoint, withoutZone } from "../../../src/base/socket-address.ts";

test("literals come out canonical", () => {
  for (const [address, canonical] of [
    ["192.168.1.30", "192.168.1.30"],
    ["::ffff:192.168.1.30", "192.168.1.30"],
    ["2001:DB8:0:0::1", "2001:db8::1"],
    ["fe80::1", "fe80::1"],
    ["fe80::1%eth0", "fe80::1%eth0"],
  ]) {
    assert.deepEqual(parseSocketAddress({ address, port: 80 }), { address: canonical, port: 80 });
  }
});

test("nothing but a literal that can be dialled is an address", () => {
  for (const address of [
    "localhost",
    "",
    "1.2.3",
    "01.2.3.4",
    "1.2.3.4 ",
    "0.0.0.0",
    "::",
    "::ffff:0.0.0.0",
    "224.0.0.1",
    "ff02::1",
    "2001:db8::1%eth0",
    "fe80::1%",
    "fe80::1%e th",
    "[::1]",
    17,
    null,
    ["1.2.3.4"],
  ]) {
    assert.equal(parseSocketAddress({ address, port: 80 }), undefined, String(address));
  }
});

test("a port is an integer from 1 to 65535", () => {
  for (const port of [0, -1, 1.5, 65536, Number.NaN, "80", null, undefined]) {
    assert.equal(parseSocketAddress({ address: "1.2.3.4", port }), undefined, String(port));
  }
});

test("whatever else is no socket address", () => {
  for (const info of [undefined, null, 1, "1.2.3.4:80", [], ["1.2.3.4", 80], { address: "1.2.3.4" }]) {
    assert.equal(parseSocketAddress(info), undefined);
  }
});

test("an endpoint is parsed as it was made", () => {
  const { transportType, transportInfo } = socketEndpoint("udp", "::1", 5);
  assert.equal(transportType, "udp");
  assert.deepEqual(parseSocketAddress(transportInfo), { address: "::1", port: 5 });
});

test("a zone is cut off where there is one", () => {
  assert.equal(withoutZone("fe80::1%eth0"), "fe80::1");
  assert.equal(withoutZone("::1"), "::1");
});
