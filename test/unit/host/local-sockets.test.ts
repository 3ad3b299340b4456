import assert from "node:assert/strict";
import test from "node:test";
import { systemError } from "../../../src/base/errors.ts";
import type { BindOptions } from "../../../src/contract/datagram-socket.ts";
import type { NetworkInterface } from "../../../src/contract/runtime.ts";
import { bindAddresses, localAddressFor } from "../../../src/host/local-sockets.ts";
import { RecordedSocket } from "./recorded-socket.ts";

/** A system whose addresses may be missing and ports in use. */
function system(taken: readonly string[] = [], missing: readonly string[] = []) {
  const open = new Set<RecordedSocket>();
  let nextPort = 5000;
  const bind = async ({ address, port }: BindOptions) => {
    const actual = port || nextPort++;
    if (missing.includes(address)) throw systemError("EADDRNOTAVAIL", "bind", address, actual);
    if (taken.includes(`${address} ${actual}`)) throw systemError("EADDRINUSE", "bind", address, actual);
    const socket = new RecordedSocket({ address, port: actual });
    open.add(socket);
    const close = socket.close.bind(socket);
    socket.close = () => {
      open.delete(socket);
      close();
    };
    return socket;
  };
  return { bind, open };
}

function request(addresses: string[], port: number) {
  return { bind: "::", addresses, port };
}

const ports = (sockets: readonly { local: { port: number } }[]) => sockets.map(({ local }) => local.port);

test("all addresses get one port", async () => {
  const { bind } = system();
  assert.deepEqual(
    ports(await bindAddresses(bind, request(["10.0.0.1", "10.1.0.1", "fd00::1"], 0), 1)),
    [5000, 5000, 5000],
  );
  assert.deepEqual(
    ports(await bindAddresses(bind, request(["10.0.0.1", "10.1.0.1"], 7000), 1)),
    [7000, 7000],
  );
});

test("a free port that is taken on one address is given up for another", async () => {
  const { bind, open } = system(["10.1.0.1 5000", "10.1.0.1 5001"]);
  const sockets = await bindAddresses(bind, request(["10.0.0.1", "10.1.0.1"], 0), 1);
  assert.deepEqual(ports(sockets), [5002, 5002]);
  assert.equal(open.size, 2);
});

test("where no port is free everywhere the addresses get different ones", async () => {
  const taken = Array.from({ length: 8 }, (_, i) => `10.1.0.1 ${5000 + i}`);
  const { bind, open } = system(taken);
  const sockets = await bindAddresses(bind, request(["10.0.0.1", "10.1.0.1"], 0), 1);
  assert.equal(new Set(ports(sockets)).size, 2);
  assert.equal(open.size, 2);
});

test("an address that is gone is left out, unless it is the only one", async () => {
  const { bind } = system([], ["fd00::1"]);
  const sockets = await bindAddresses(bind, request(["10.0.0.1", "fd00::1"], 0), 1);
  assert.deepEqual(
    sockets.map(({ local }) => local.address),
    ["10.0.0.1"],
  );
  await assert.rejects(bindAddresses(bind, request(["fd00::1"], 0), 1), { code: "EADDRNOTAVAIL" });
});

test("a fixed port in use on one address fails, and nothing stays open", async () => {
  const { bind, open } = system(["10.1.0.1 7000"]);
  await assert.rejects(bindAddresses(bind, request(["10.0.0.1", "10.1.0.1"], 7000), 1), {
    code: "EADDRINUSE",
  });
  assert.equal(open.size, 0);
});

const INTERFACES: NetworkInterface[] = [
  { name: "lo", address: "127.0.0.1", family: "IPv4", prefix: 8, internal: true },
  { name: "eth0", address: "192.168.1.30", family: "IPv4", prefix: 24, internal: false },
  { name: "eth1", address: "10.8.0.2", family: "IPv4", prefix: 24, internal: false },
  { name: "eth0", address: "fd00::30", family: "IPv6", prefix: 64, internal: false },
];
const OWN = ["192.168.1.30", "10.8.0.2", "fd00::30"];

test("packets leave from the remote's own address, else from its subnet, else from the only one that fits", () => {
  const from = (remote: string, own = OWN) => localAddressFor(remote, own, INTERFACES);
  assert.equal(from("192.168.1.30"), "192.168.1.30");
  assert.equal(from("192.168.1.77"), "192.168.1.30");
  assert.equal(from("10.8.0.9"), "10.8.0.2");
  assert.equal(from("fd00::99"), "fd00::30");
  assert.equal(from("203.0.113.5"), undefined, "two could: only the routes know");
  assert.equal(from("203.0.113.5", ["192.168.1.30", "fd00::30"]), "192.168.1.30");
  assert.equal(from("2001:db8::1"), "fd00::30");
  assert.equal(from("127.0.0.1"), undefined, "loopback is not reached from elsewhere");
  assert.equal(from("203.0.113.5", ["127.0.0.1"]), undefined);
  assert.equal(from("127.0.0.1", ["127.0.0.1"]), "127.0.0.1");
  assert.equal(from("no literal"), undefined);
});
