import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type SeededRandom, seededRandom } from "../../../src/base/random.ts";
import type { Millis } from "../../../src/contract/clock.ts";
import { UtpHost } from "../../../src/host/utp-host.ts";
import type { UtpConnection } from "../../../src/utp/connection.ts";
import type { UtpEventType } from "../../../src/utp/options.ts";
import { home } from "../../kit/network/home.ts";
import type { Host } from "../../kit/network/host.ts";
import { Network } from "../../kit/network.ts";
import { forEachSeed } from "../../kit/seeds.ts";
import type { Trace } from "../../kit/trace.ts";
import { EAGER, Party, type Script } from "./party.ts";
import { check, outcome } from "./scene.ts";

const HOUR = 3_600_000;

/** A server on the internet and a client behind a NAT, with one connection between them. */
class Call {
  readonly network: Network;
  readonly random: SeededRandom;
  readonly client: Host;
  readonly server: Host;
  dialler!: Party;
  acceptor!: Party;
  readonly #hosts: UtpHost[] = [];

  constructor(seed: number, trace: Trace) {
    this.random = seededRandom(seed);
    this.network = new Network({ seed, trace });
    const link = { latency: 10, jitter: 2, rate: 20e6, queueMillis: 100, loss: 0.01 };
    const internet = this.network.segment({ name: "internet", hops: 8, link });
    const site = home(this.network, {
      name: "client",
      uplink: internet,
      outer: ["5.0.0.1"],
      nat: { mapping: "endpoint-independent", filtering: "address-and-port-dependent", ports: "random" },
    });
    this.client = site.host;
    this.server = this.network.host({ name: "server" });
    this.server.attach(internet, { addresses: ["6.0.0.1/8"] });
  }

  async start(dialler: Partial<Script>, acceptor: Partial<Script>): Promise<void> {
    const [client, server] = await this.network.clock.run(() =>
      Promise.all([this.client, this.server].map(bind)),
    );
    this.#hosts.push(client!, server!);
    this.dialler = this.#party("dialler", 0, dialler, this.client);
    this.acceptor = this.#party("acceptor", 1, acceptor, this.server);
    this.dialler.peer = this.acceptor;
    this.acceptor.peer = this.dialler;
    server!.listen((connection) => {
      listen(connection, this.acceptor);
      this.acceptor.start(connection);
    });
    const connection = client!.connect(server!.socket.local, { connectTimeout: 30_000 });
    listen(connection, this.dialler);
    this.dialler.start(connection);
  }

  #party(name: string, id: number, script: Partial<Script>, host: Host): Party {
    const around = { clock: host.runtime.clock, random: this.random, call: <T>(action: () => T) => action() };
    return new Party(name, id, { ...EAGER, ...script }, around);
  }

  after(ms: Millis, action: () => void): void {
    this.network.clock.setTimer(this.network.clock.now() + ms, action);
  }

  /** Lets `ms` pass; afterwards both ends have closed and nothing is left. */
  finish(ms: Millis): void {
    this.network.clock.advance(ms);
    for (const host of this.#hosts) {
      assert.equal(host.endpoint.size, 0, "a host keeps connections");
      host.close();
    }
    this.network.clock.advance(1);
    assert.deepEqual(this.network.openSockets(), []);
    for (const party of [this.dialler, this.acceptor]) check(party);
  }

  /** `finish`, and everything was delivered. */
  finishClean(ms: Millis): void {
    this.finish(ms);
    assert.equal(outcome({ dialler: this.dialler, acceptor: this.acceptor }), 0);
  }
}

async function bind(host: Host): Promise<UtpHost> {
  const [address] = host.interfaces().filter(({ internal }) => !internal);
  return new UtpHost(await host.runtime.bindDatagram!({ address: address!.address }), host.runtime);
}

function listen(connection: UtpConnection, party: Party): void {
  const tell = (type: UtpEventType) => (error?: Error) =>
    party.onEvent(error ? { type, connection, error } : { type, connection });
  connection.sink = {
    onConnected: tell("connected"),
    onReadable: tell("readable"),
    onDrain: tell("drain"),
    onEnd: tell("end"),
    onFinished: tell("finished"),
    onClosed: tell("closed"),
  };
}

const TALK = { bytes: 300_000, pauses: 2, pauseEvery: 100_000, pause: 500 };

describe("a host in a network", () => {
  test("serves a client behind a NAT", () =>
    forEachSeed(20, async (seed, trace) => {
      const call = new Call(seed, trace);
      await call.start(TALK, TALK);
      call.finishClean(120_000);
    }));

  test("that sleeps for a few seconds goes on where it was", () =>
    forEachSeed(30, async (seed, trace) => {
      const call = new Call(seed, trace);
      await call.start(TALK, TALK);
      const sleeper = seed % 2 === 0 ? call.client : call.server;
      call.after(100 + 20 * (seed % 30), () => sleeper.sleep());
      call.after(100 + 20 * (seed % 30) + 500 * (seed % 10), () => sleeper.wake());
      call.finishClean(240_000);
    }));

  test("that sleeps for an hour leaves an error on both sides, or had finished", () =>
    forEachSeed(30, async (seed, trace) => {
      const call = new Call(seed, trace);
      await call.start(TALK, TALK);
      const sleeper = seed % 2 === 0 ? call.client : call.server;
      call.after(100 + 40 * (seed % 30), () => sleeper.sleep());
      call.after(100 + 40 * (seed % 30) + HOUR, () => sleeper.wake());
      call.finish(HOUR + 240_000);
    }));

  test("whose system holds datagrams back sends each as it was", () =>
    forEachSeed(30, async (seed, trace) => {
      const call = new Call(seed, trace);
      const { random } = call;
      await call.start(TALK, TALK);
      for (let at = 10; at < 5000; at += random.integer(100)) {
        const host = random.chance(0.5) ? call.client : call.server;
        call.after(at, () => host.holdSends());
        call.after(at + random.integer(200), () => host.drainSends());
      }
      call.after(5300, () => call.client.drainSends());
      call.after(5300, () => call.server.drainSends());
      call.finishClean(240_000);
    }));

  test("that loses its address leaves an error on both sides, or had finished", () =>
    forEachSeed(20, async (seed, trace) => {
      const call = new Call(seed, trace);
      await call.start(TALK, TALK);
      call.after(60 + 30 * (seed % 40), () => call.client.renumber("eth0", ["192.168.1.77/24"]));
      call.finish(240_000);
      assert.ok(call.dialler.closed);
    }));
});
