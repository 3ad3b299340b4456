import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DatagramSocket } from "../../../src/contract/datagram-socket.ts";
import { serveStun } from "../../../src/host/stun-port.ts";
import { runtime } from "../../../src/platform/node.ts";
import { ADDRESSES, freePorts, output } from "./coturn.ts";

/** Serves on two addresses and two ports while `body` runs. */
async function serving(body: (port: number) => Promise<void>): Promise<void> {
  const ports = await freePorts();
  const sockets: DatagramSocket[] = [];
  try {
    for (const address of ADDRESSES)
      for (const port of ports) sockets.push(await runtime.bindDatagram!({ address, port }));
    serveStun(sockets, runtime);
    await body(ports[0]);
  } finally {
    for (const socket of sockets) socket.close();
  }
}

describe("coturn's clients at our responder", () => {
  it("learn their address and see all of RFC 5780", () =>
    serving(async (port) => {
      const text = await output("turnutils_stunclient", ["-f", "-p", `${port}`, "127.0.0.1"]);
      assert.equal(text.match(/UDP reflexive addr: 127\.0\.0\.1:\d+/g)?.length, 3, text);
      assert.match(text, new RegExp(`Response origin: : 127\\.0\\.0\\.2:${port + 1}`));
      assert.match(text, new RegExp(`Other addr: : 127\\.0\\.0\\.2:${port + 1}`));
    }));

  it("find that there is no NAT, with padding and without", () =>
    serving(async (port) => {
      const where = ["-p", `${port}`, "-L", "127.0.0.1", "127.0.0.1"];
      const plain = await output("turnutils_natdiscovery", ["-m", "-f", ...where]);
      assert.match(plain, /NAT with Endpoint Independent Mapping!/);
      assert.match(plain, /NAT with Endpoint Independent Filtering!/);
      const padded = await output("turnutils_natdiscovery", ["-m", "-P", ...where]);
      assert.match(padded, /NAT with Endpoint Independent Mapping!/);
    }));
});
