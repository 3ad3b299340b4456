import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DatagramSocket, SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { StunPort, serveStun } from "../../../src/host/stun-port.ts";
import { UtpHost } from "../../../src/host/utp-host.ts";
import { nodeCrypto as crypto } from "../../../src/platform/node-crypto.ts";
import { OTHER_ADDRESS } from "../../../src/stun/addresses.ts";
import { CHANGE_REQUEST } from "../../../src/stun/behaviour.ts";
import { BINDING } from "../../../src/stun/binding.ts";
import { shortTerm } from "../../../src/stun/credentials.ts";
import { type Answer, BindingResponder } from "../../../src/stun/responder.ts";
import { home } from "../../kit/network/home.ts";
import type { Host } from "../../kit/network/host.ts";
import { Network } from "../../kit/network.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import type { Trace } from "../../kit/trace.ts";

const OUTER = "5.0.1.7";

interface Scene {
  readonly network: Network;
  readonly server: Host;
  readonly alice: Host;
}

/** A server with two addresses on the internet, and a client behind a NAT with random ports. */
function scene(seed = 1, loss = 0, trace?: Trace): Scene {
  const network = new Network({ seed, ...(trace ? { trace } : {}) });
  const internet = network.segment({ name: "internet", hops: 8, link: { latency: 10, jitter: 2, loss } });
  const server = network.host({ name: "server" });
  server.attach(internet, { addresses: ["5.0.0.1", "5.0.0.2"] });
  const nat = {
    mapping: "endpoint-independent",
    filtering: "endpoint-independent",
    ports: "random",
  } as const;
  const alice = home(network, { name: "alice", uplink: internet, outer: [OUTER], nat }).host;
  return { network, server, alice };
}

function bind(host: Host, address: string, port = 0): Promise<DatagramSocket> {
  return host.runtime.bindDatagram!({ address, port });
}

async function client({ alice }: Scene): Promise<{ socket: DatagramSocket; port: StunPort }> {
  const socket = await bind(alice, "192.168.1.2", 5000);
  const port = new StunPort(socket, alice.runtime);
  socket.attach(port);
  return { socket, port };
}

function where(network: Network): SocketAddress[] {
  const seen: SocketAddress[] = [];
  network.observer = ({ kind, where, packet }) => {
    if (kind === "received" && where === "server") {
      seen.push(packet.source);
    }
  };
  return seen;
}

describe("a Binding in the simulated internet", () => {
  it("tells a host behind a NAT its reflexive address", async () => {
    const stage = scene();
    const { network, server } = stage;
    const seen = where(network);
    await network.clock.run(async () => {
      const socket = await bind(server, "5.0.0.1", 3478);
      serveStun([socket], server.runtime);
      const alice = await client(stage);
      const address = await alice.port.requests.binding(socket.local);
      assert.equal(address.address, OUTER);
      assert.deepEqual(seen, [address]);
      socket.close();
      alice.socket.close();
    });
    network.clock.advance(1);
    assert.deepEqual([network.openSockets(), network.clock.armed], [[], 0]);
  });

  it("gets through whatever is lost, unless everything is", () =>
    forEachSeed(30, async (seed, trace) => {
      const stage = scene(seed, 0.1, trace);
      const { network, server } = stage;
      await network.clock.run(async () => {
        const socket = await bind(server, "5.0.0.1", 3478);
        serveStun([socket], server.runtime);
        const alice = await client(stage);
        assert.equal((await alice.port.requests.binding(socket.local)).address, OUTER);
        socket.close();
        alice.socket.close();
      });
    }));

  it("fails after 39.5 s where nobody answers", async () => {
    const stage = scene();
    const { network } = stage;
    const started = network.clock.now();
    await network.clock.run(async () => {
      const alice = await client(stage);
      await assert.rejects(alice.port.requests.binding({ address: "5.0.0.9", port: 3478 }), {
        code: "ERR_1TP_STUN_TIMEOUT",
      });
      alice.socket.close();
    });
    assert.equal(network.clock.now() - started, 39_500);
    network.clock.advance(1);
    assert.equal(network.clock.armed, 0);
  });

  it("is answered from another address and port on request (RFC 5780)", async () => {
    const stage = scene();
    const { network, server } = stage;
    await network.clock.run(async () => {
      const places = ["5.0.0.1", "5.0.0.2"].flatMap((address) =>
        [3478, 3479].map((port) => ({ address, port })),
      );
      const sockets = await Promise.all(places.map(({ address, port }) => bind(server, address, port)));
      serveStun(sockets, server.runtime);
      const alice = await client(stage);
      for (const [index, change] of [
        { ip: false, port: false },
        { ip: false, port: true },
        { ip: true, port: false },
        { ip: true, port: true },
      ].entries()) {
        const attributes = [CHANGE_REQUEST.of(change)];
        const request = { to: places[0]!, method: BINDING, attributes };
        const { message, from } = await alice.port.requests.request(request);
        assert.deepEqual(from, places[index]);
        assert.deepEqual(OTHER_ADDRESS.in(message), places[3]);
      }
      for (const socket of [...sockets, alice.socket]) socket.close();
    });
  });

  it("says what the server refused", async () => {
    const stage = scene();
    const { network, server } = stage;
    await network.clock.run(async () => {
      const socket = await bind(server, "5.0.0.1", 3478);
      serveStun([socket], server.runtime);
      const alice = await client(stage);
      const attributes = [CHANGE_REQUEST.of({ ip: true, port: true })];
      await assert.rejects(alice.port.requests.binding(socket.local, { attributes }), {
        code: "ERR_1TP_STUN_REFUSED",
        status: 420,
        message: /5\.0\.0\.1:3478 said 420$/,
      });
      socket.close();
      alice.socket.close();
    });
  });

  it("shares a port with uTP, both ways", async () => {
    const stage = scene();
    const { network, server, alice } = stage;
    await network.clock.run(async () => {
      const here = new UtpHost(await bind(server, "5.0.0.1", 9000), server.runtime);
      const there = new UtpHost(await bind(alice, "192.168.1.2", 5000), alice.runtime);
      here.demultiplexer.stun = new StunPort(here.socket, server.runtime, {
        responder: new BindingResponder(),
      });
      const port = new StunPort(there.socket, alice.runtime);
      there.demultiplexer.stun = port;
      const accepted = new Promise<SocketAddress>((resolve) => {
        here.listen((connection) => resolve(connection.remote));
      });
      there.connect(here.socket.local);
      const reflexive = await port.requests.binding(here.socket.local);
      assert.deepEqual(reflexive, await accepted);
      here.close();
      there.close();
    });
    assert.deepEqual(network.openSockets(), []);
  });
});

describe("checks between two peers", () => {
  it("succeed with the password they share, and tell the answering side who asked", async () => {
    const stage = scene();
    const { network, server } = stage;
    await network.clock.run(async () => {
      const socket = await bind(server, "5.0.0.1", 9000);
      const answers: Answer[] = [];
      const passwordOf = (name: string) => (name === "bob:alice" ? "secret" : undefined);
      const responder = new BindingResponder({ authenticate: { crypto, passwordOf } });
      socket.attach(
        new StunPort(socket, server.runtime, { responder, onAnswer: (answer) => answers.push(answer) }),
      );
      const alice = await client(stage);
      const asked = (password: string): Promise<SocketAddress> => {
        const credentials = shortTerm({ crypto, username: "bob:alice", password });
        return alice.port.requests.binding(socket.local, { credentials, schedule: [200, 200] });
      };
      const reflexive = await asked("secret");
      assert.deepEqual(
        answers.map(({ remote, success }) => [remote, success]),
        [[reflexive, true]],
      );
      await assert.rejects(asked("guess"), { code: "ERR_1TP_STUN_TIMEOUT" });
      assert.deepEqual([answers.length, responder.drops.get("forged")], [1, 2]);
      socket.close();
      alice.socket.close();
    });
  });

  it("are not fooled by a server that does not know the password", async () => {
    const stage = scene();
    const { network, server } = stage;
    await network.clock.run(async () => {
      const socket = await bind(server, "5.0.0.1", 9000);
      serveStun([socket], server.runtime);
      const alice = await client(stage);
      const credentials = shortTerm({ crypto, username: "bob:alice", password: "secret" });
      await assert.rejects(alice.port.requests.binding(socket.local, { credentials }), {
        code: "ERR_1TP_STUN_REFUSED",
        message: /not authentic/,
      });
      assert.equal(alice.port.requests.client.drops.get("forged"), 7);
      socket.close();
      alice.socket.close();
    });
  });
});
