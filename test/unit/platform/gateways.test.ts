import assert from "node:assert/strict";
import { it } from "node:test";
import { gatewaysIn, ipv4Gateways } from "../../../src/platform/node-gateways.ts";

const HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT  \n";

/** A line as Linux writes it. */
function route(gateway: string, flags: string, metric: number, destination = "00000000", mask = "00000000") {
  return `eth0\t${destination}\t${gateway}\t${flags}\t0\t0\t${metric}\t${mask}\t0\t0\t0   \n`;
}

it("the gateways are those of the default routes, the lowest metric first", () => {
  const table = [
    HEAD,
    route("FE01A8C0", "0003", 600),
    route("0101A8C0", "0003", 100),
    route("00000000", "0001", 0, "0001A8C0", "00FFFFFF"),
    route("0900000A", "0003", 0, "0000000A", "000000FF"),
  ];
  assert.deepEqual(gatewaysIn(table.join(""), true), ["192.168.1.1", "192.168.1.254"]);
});

it("addresses are in the byte order of the machine", () => {
  assert.deepEqual(gatewaysIn(HEAD + route("C0A80101", "0003", 0), false), ["192.168.1.1"]);
});

it("a route without a gateway, that is down or refuses, and lines that make no sense are none", () => {
  const lines = [
    route("00000000", "0001", 0),
    route("0101A8C0", "0002", 0),
    route("0101A8C0", "0203", 0),
    route("0101A8", "0003", 0),
    route("x", "0003", 0),
    "\n",
    "eth0\n",
  ];
  assert.deepEqual(gatewaysIn(HEAD + lines.join(""), true), []);
  assert.deepEqual(gatewaysIn("", true), []);
});

it("the system's own table is read without an error", async () => {
  for (const gateway of await ipv4Gateways()) assert.match(gateway, /^\d+\.\d+\.\d+\.\d+$/);
});
