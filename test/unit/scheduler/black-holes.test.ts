import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BlackHoles } from "../../../src/scheduler/black-holes.ts";
import { UdpTransport } from "../../../transports/udp/index.ts";
import { entry, plannedTransport } from "./candidate.ts";

const udp = plannedTransport("udp", { datagrams: true });
const tcp = plannedTransport("tcp");
const far4 = entry("udp", "8.8.8.8");
const far6 = entry("tcp", "2600::1");

/** The outcomes of dials of one transport to one endpoint, `+` for a success, `-` for a failure. */
function after(outcomes: string, transport = udp, endpoint = far4): BlackHoles {
  const blackHoles = new BlackHoles();
  for (const outcome of outcomes) blackHoles.record(transport, endpoint, outcome === "+");
  return blackHoles;
}

const failures = (count: number) => "-".repeat(count);

describe("a black hole", () => {
  it("is suspected only after 100 dials", () => {
    assert.equal(new BlackHoles().suspects(udp, far4), false);
    assert.equal(after(failures(99)).suspects(udp, far4), false);
    assert.equal(after(failures(100)).suspects(udp, far4), true);
    assert.equal(after(failures(1_000)).suspects(udp, far4), true);
  });

  it("is one with fewer than 5 successes in the last 100 dials", () => {
    assert.equal(after(`++++${failures(96)}`).suspects(udp, far4), true);
    assert.equal(after(`+++++${failures(95)}`).suspects(udp, far4), false);
    assert.equal(after(`${failures(50)}++${failures(46)}++`).suspects(udp, far4), true);
  });

  it("is found when old successes have left the window", () => {
    const healthy = `+++++${failures(95)}`;
    assert.equal(after(`${healthy}-`).suspects(udp, far4), true);
    assert.equal(after(`${"+".repeat(100)}${failures(95)}`).suspects(udp, far4), false);
    assert.equal(after(`${"+".repeat(100)}${failures(96)}`).suspects(udp, far4), true);
  });

  it("is forgotten at the first success, and found again only after 100 more dials", () => {
    const reborn = `${failures(100)}+`;
    assert.equal(after(reborn).suspects(udp, far4), false);
    assert.equal(after(reborn + failures(98)).suspects(udp, far4), false);
    assert.equal(after(reborn + failures(99)).suspects(udp, far4), true);
    assert.equal(after(`${reborn}++++${failures(95)}`).suspects(udp, far4), false);
  });

  it("of UDP concerns the transports that ride on it, to any address", () => {
    const blackHoles = after(failures(100), udp, far4);
    assert.equal(blackHoles.suspects(udp, entry("udp", "2600::1")), true);
    assert.equal(blackHoles.suspects(udp, entry("udp")), true, "an entry without an address");
    assert.equal(blackHoles.suspects(plannedTransport("turn", { datagrams: true }), far4), true);
    assert.equal(blackHoles.suspects(tcp, far4), false);
    assert.equal(blackHoles.suspects(tcp, far6), false);
  });

  it("is not what a dial without an address proves: who is signaled may be offline", () => {
    const signaled = plannedTransport("udp-punch", { datagrams: true });
    assert.equal(after(failures(200), signaled, entry("udp-punch")).suspects(udp, far4), false);
  });

  it("swallows udp", () => {
    assert.equal(after(failures(100), new UdpTransport()).suspects(new UdpTransport(), far4), true);
  });

  it("of IPv6 concerns all transports, to IPv6 addresses", () => {
    const blackHoles = after(failures(100), tcp, far6);
    assert.equal(blackHoles.suspects(tcp, entry("tcp", "2600::2")), true);
    assert.equal(blackHoles.suspects(udp, far6), true);
    assert.equal(blackHoles.suspects(tcp, far4), false);
    assert.equal(blackHoles.suspects(udp, far4), false);
    assert.equal(blackHoles.suspects(tcp, entry("tcp", "::ffff:8.8.8.8")), false);
  });

  it("swallows both when UDP over IPv6 fails", () => {
    const blackHoles = after(failures(100), udp, far6);
    assert.equal(blackHoles.suspects(udp, far4), true);
    assert.equal(blackHoles.suspects(tcp, far6), true);
    assert.equal(blackHoles.suspects(tcp, far4), false);
  });

  it("is neither found nor refuted by dials on this host or LAN, nor concerns them", () => {
    for (const near of ["127.0.0.1", "::1", "192.168.1.1", "fe80::1", "fd00::1"]) {
      assert.equal(after(failures(200), udp, entry("udp", near)).suspects(udp, far4), false, near);
      const blackHoles = after(failures(100), udp, far6);
      blackHoles.record(udp, entry("udp", near), true);
      assert.equal(blackHoles.suspects(udp, far4), true, near);
      assert.equal(blackHoles.suspects(udp, entry("udp", near)), false, near);
    }
  });
});
