/**
 * The simulated internet as a whole. The topology of every test here:
 *
 *                            server 8.0.0.1
 *                                  │
 *            ┌──────────── internet, 8 hops ───────────┐
 *         5.0.0.1                                   6.0.0.1
 *       alice-router                               bob-router
 *       192.168.1.1                               192.168.1.1
 *            │                                         │
 *            alice 192.168.1.2                         bob 192.168.1.2
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DatagramSocket, SocketAddress } from "../../../src/contract/datagram-socket.ts";
import type { Runtime } from "../../../src/contract/runtime.ts";
import type { LinkOptions } from "../../kit/link.ts";
import type { Dependence } from "../../kit/network/filter.ts";
import { home } from "../../kit/network/home.ts";
import type { NatOptions } from "../../kit/network/nat.ts";
import { Network } from "../../kit/network.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import { Trace } from "../../kit/trace.ts";

const SERVER: SocketAddress = { address: "8.0.0.1", port: 3478 };

const WORDS: readonly Dependence[] = [
  "endpoint-independent",
  "address-dependent",
  "address-and-port-dependent",
];

/** Enough of a datagram each way for a first answer: 5 probes. */
const PROBES = 5;

interface LabOptions {
  readonly alice: NatOptions;
  readonly bob: NatOptions;
  readonly seed?: number;
  readonly trace?: Trace;
  readonly link?: LinkOptions;
}

/** One end: its runtime, its socket and how the server sees it. */
interface Peer {
  readonly runtime: Runtime;
  readonly socket: DatagramSocket;
  readonly reflexive: SocketAddress;
}

async function build({ alice, bob, seed = 1, trace = new Trace(), link = { latency: 10 } }: LabOptions) {
  const network = new Network({ seed, trace, describe: (data) => `"${Buffer.from(data)}"` });
  const internet = network.segment({ name: "internet", hops: 8, link });
  const server = network.host({ name: "server" });
  server.attach(internet, { addresses: [SERVER.address], link: { latency: 10 } });
  const stun = await server.runtime.bindDatagram!(SERVER);
  stun.attach({
    onDatagram: (_data, remote) => void stun.send(Buffer.from(JSON.stringify(remote)), remote),
  });
  const join = async (name: string, outer: string, nat: NatOptions): Promise<Peer> => {
    const { host } = home(network, { name, uplink: internet, outer: [outer], nat });
    const socket = await host.runtime.bindDatagram!({ address: "192.168.1.2" });
    const reflexive = await new Promise<SocketAddress>((resolve) => {
      const ask = () => {
        socket.send(Buffer.from("who am I"), SERVER);
        timer = host.runtime.clock.setTimer(host.runtime.clock.now() + 500, ask);
      };
      let timer = host.runtime.clock.setTimer(0, ask);
      socket.attach({
        onDatagram: (data) => {
          timer.cancel();
          socket.attach({ onDatagram: () => {} });
          resolve(JSON.parse(Buffer.from(data).toString()));
        },
      });
    });
    return { runtime: host.runtime, socket, reflexive };
  };
  const peers = await network.clock.run(() =>
    Promise.all([join("alice", "5.0.0.1", alice), join("bob", "6.0.0.1", bob)]),
  );
  return { network, alice: peers[0], bob: peers[1] };
}

/** Probes the peer's endpoint and answers whoever probes; whether a probe was answered within a second. */
function punch({ runtime, socket }: Peer, peer: SocketAddress): Promise<boolean> {
  const { clock } = runtime;
  return new Promise((resolve) => {
    socket.attach({
      onDatagram: (data, remote) => {
        if (Buffer.from(data).toString() === "probe") socket.send(Buffer.from("answer"), remote);
        else resolve(true);
      },
    });
    for (let i = 0; i < PROBES; i++) {
      clock.setTimer(clock.now() + 50 * i, () => void socket.send(Buffer.from("probe"), peer));
    }
    clock.setTimer(clock.now() + 1000, () => resolve(false));
  });
}

/** Both ends punch at once; whether either got an answer. */
async function simultaneous(lab: Awaited<ReturnType<typeof build>>): Promise<boolean> {
  const { network, alice, bob } = lab;
  const outcome = await network.clock.run(() =>
    Promise.all([punch(alice, bob.reflexive), punch(bob, alice.reflexive)]),
  );
  return outcome.includes(true);
}

const isEasy = ({ mapping }: NatOptions) => mapping === "endpoint-independent";
const isPortRestricted = ({ filtering }: NatOptions) => filtering === "address-and-port-dependent";
const isOpen = ({ filtering }: NatOptions) => filtering === "endpoint-independent";

/** What theory says of one socket on each side, random ports, and answering the endpoint that is seen. */
function passes(a: NatOptions, b: NatOptions): boolean {
  if (isEasy(a) && isEasy(b)) return true;
  if (isEasy(a)) return !isPortRestricted(a);
  if (isEasy(b)) return !isPortRestricted(b);
  return (isOpen(a) && !isPortRestricted(b)) || (isOpen(b) && !isPortRestricted(a));
}

const KINDS: readonly NatOptions[] = WORDS.flatMap((mapping) =>
  WORDS.map((filtering): NatOptions => ({ mapping, filtering, ports: "random" })),
);

test("every pair of NATs lets a simultaneous punch through exactly where RFC 4787's words say so", async () => {
  for (const alice of KINDS) {
    for (const bob of KINDS) {
      const lab = await build({ alice, bob });
      const through = await simultaneous(lab);
      if (through !== passes(alice, bob)) {
        throw lab.network.failure(`${JSON.stringify(alice)} × ${JSON.stringify(bob)}: ${through}`);
      }
    }
  }
});

const TRAP: NatOptions = {
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
  acceptsUnsolicited: true,
};
const STRICT: NatOptions = { mapping: "endpoint-independent", filtering: "address-and-port-dependent" };

test("the conntrack trap closes when the peer's probe comes first, and not when a low hop limit came before", () =>
  forEachSeed(16, async (seed, trace) => {
    const outcomes: boolean[] = [];
    for (const lowFirst of [false, true]) {
      const lab = await build({ alice: TRAP, bob: STRICT, seed, trace });
      const { network, alice, bob } = lab;
      if (lowFirst) alice.socket.send(Buffer.from("opening"), bob.reflexive, 5);
      await network.clock.advanceAsync(50);
      bob.socket.send(Buffer.from("probe"), alice.reflexive);
      await network.clock.advanceAsync(50);
      outcomes.push(await simultaneous(lab));
    }
    assert.deepEqual(outcomes, [false, true]);
  }));

test("the same seed gives the same trace of a whole run, another seed another", async () => {
  const link = { latency: 10, jitter: 20, loss: 0.2, reorder: 0.1, duplicate: 0.1 };
  const story = async (seed: number) => {
    const trace = new Trace(10_000);
    await simultaneous(await build({ alice: TRAP, bob: STRICT, seed, trace, link }));
    return `${trace}`;
  };
  const first = await story(3);
  assert.equal(await story(3), first);
  assert.notEqual(await story(4), first);
});

test("a failure of the network tells its trace", async () => {
  const { network } = await build({ alice: STRICT, bob: STRICT });
  const { message } = network.failure("it went wrong");
  assert.match(message, /^it went wrong\n/);
  assert.match(message, /alice sends 192\.168\.1\.2:\d+ > 8\.0\.0\.1:3478 ttl 64 "who am I"/);
  assert.match(message, /server receives 6\.0\.0\.1:\d+ > 8\.0\.0\.1:3478 ttl 55 "who am I"/);
});

test("nothing is left of a run but what was not closed", async () => {
  const { network, alice, bob } = await build({ alice: STRICT, bob: STRICT });
  alice.socket.close();
  bob.socket.close();
  network.clock.runUntilIdle();
  assert.deepEqual(network.openSockets(), ["server 8.0.0.1:3478"]);
  assert.equal(network.clock.armed, 0);
});
