import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Endpoint } from "../../../src/contract/endpoint.ts";
import type { Transport } from "../../../src/contract/transport.ts";
import { BlackHoles } from "../../../src/scheduler/black-holes.ts";
import { findCandidates } from "../../../src/scheduler/candidates.ts";
import { entry, plannedTransport } from "./candidate.ts";

function find(
  endpoints: readonly Endpoint[],
  transports: readonly Transport[],
  blackHoles = new BlackHoles(),
) {
  return findCandidates(endpoints, transports, blackHoles);
}

/** The addresses in the order they would be tried. */
function order(...addresses: readonly (string | undefined)[]): unknown[] {
  const endpoints = addresses.map((address) => entry("t", address));
  return find(endpoints, [plannedTransport("t")]).map(({ endpoint }) => endpoint.transportInfo.address);
}

describe("the candidates", () => {
  it("are the endpoints that some transport accepts", () => {
    const found = find([entry("a"), entry("b"), entry("c")], [plannedTransport("a"), plannedTransport("c")]);
    assert.deepEqual(
      found.map(({ transport, endpoint }) => [transport.type, endpoint.transportType]),
      [
        ["a", "a"],
        ["c", "c"],
      ],
    );
  });

  it("are none when no transport accepts anything", () => {
    assert.deepEqual(find([entry("a")], [plannedTransport("b")]), []);
    assert.deepEqual(find([], [plannedTransport("b")]), []);
    assert.deepEqual(find([entry("a")], []), []);
  });

  it("hold one endpoint once for each transport that accepts it, the cheapest first", () => {
    const accepts = () => true;
    const dear = plannedTransport("dear", { cost: 70, accepts });
    const cheap = plannedTransport("cheap", { cost: 20, accepts });
    const found = find([entry("x", "10.0.0.1"), entry("y", "10.0.0.2")], [dear, cheap]);
    assert.deepEqual(
      found.map(({ transport, endpoint, cost }) => [transport.type, endpoint.transportType, cost]),
      [
        ["cheap", "x", 20],
        ["cheap", "y", 20],
        ["dear", "x", 70],
        ["dear", "y", 70],
      ],
    );
  });

  it("come by cost before anything else", () => {
    const transports = [plannedTransport("dear", { cost: 2 }), plannedTransport("cheap", { cost: 1 })];
    const found = find([entry("dear", "127.0.0.1"), entry("cheap", "8.8.8.8")], transports);
    assert.deepEqual(
      found.map(({ cost }) => cost),
      [1, 2],
    );
  });

  it("of one cost come by distance: host, LAN, link, Internet, then what cannot be told", () => {
    assert.deepEqual(
      order(undefined, "240.0.0.1", "8.8.8.8", "169.254.0.1", "10.0.0.1", "127.0.0.1", "0.0.0.0"),
      ["127.0.0.1", "10.0.0.1", "169.254.0.1", "8.8.8.8", "240.0.0.1", undefined, "0.0.0.0"],
    );
  });

  it("of one distance come IPv6 first", () => {
    assert.deepEqual(order("10.0.0.1", "fd00::1", "8.8.8.8", "2600::1"), [
      "fd00::1",
      "10.0.0.1",
      "2600::1",
      "8.8.8.8",
    ]);
  });

  it("count an IPv4 address in IPv6 clothes as IPv4", () => {
    assert.deepEqual(order("::ffff:10.0.0.1", "fd00::1", "::ffff:8.8.8.8"), [
      "fd00::1",
      "::ffff:10.0.0.1",
      "::ffff:8.8.8.8",
    ]);
  });

  it("that are alike stay in the order of the server", () => {
    const addresses = Array.from({ length: 50 }, (_, i) => `10.0.0.${(i * 37) % 251}`);
    assert.deepEqual(order(...addresses), addresses);
  });

  it("leave the connectionInfo as it is", () => {
    const endpoints = Object.freeze([entry("t", "8.8.8.8"), entry("t", "127.0.0.1")]);
    const found = find(endpoints, [plannedTransport("t")]);
    assert.equal(found[0]?.endpoint, endpoints[1]);
    assert.equal(found[1]?.endpoint, endpoints[0]);
  });

  it("in a black hole come last, and are there all the same", () => {
    const udp = plannedTransport("udp", { cost: 1, datagrams: true });
    const tcp = plannedTransport("tcp", { cost: 90 });
    const blackHoles = new BlackHoles();
    const dead = entry("udp", "8.8.8.8");
    for (let i = 0; i < 100; i++) blackHoles.record(udp, dead, false);
    const found = find([dead, entry("udp", "10.0.0.1"), entry("tcp", "8.8.4.4")], [udp, tcp], blackHoles);
    assert.deepEqual(
      found.map(({ endpoint, cost }) => [endpoint.transportInfo.address, cost]),
      [
        ["10.0.0.1", 1],
        ["8.8.4.4", 90],
        ["8.8.8.8", 1001],
      ],
    );
  });
});
