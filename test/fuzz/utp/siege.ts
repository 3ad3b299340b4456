import assert from "node:assert/strict";
import { type SeededRandom, seededRandom } from "../../../src/base/random.ts";
import type { Millis } from "../../../src/contract/clock.ts";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { UtpEndpoint } from "../../../src/utp/endpoint.ts";
import type { UtpEvent } from "../../../src/utp/options.ts";
import { Bottleneck, type Station } from "../../kit/bottleneck.ts";
import { EAGER, Party, type Script } from "../../sim/utp/party.ts";
import { check } from "../../sim/utp/scene.ts";

/** An endpoint that serves an honest peer while it is sent anything from anywhere. */
export class Siege {
  readonly net = new Bottleneck({
    right: { rate: 2e6, latency: 20, queueMillis: 100 },
    left: { latency: 20 },
  });
  readonly fort: Station<UtpEndpoint>;
  readonly honest: Station<UtpEndpoint>;
  readonly random: SeededRandom;
  /** Payload bytes that came from each address, less what was sent there. */
  readonly credit = new Map<string, number>();
  /** Addresses that have proved themselves and may get more than they send. */
  readonly proved = new Set<string>();
  /** Sees what strangers are sent. */
  onAnswer: ((data: Uint8Array, to: SocketAddress) => void) | undefined;
  /** Hears what becomes of strangers' connections. */
  onStranger: ((event: UtpEvent) => void) | undefined;
  sent = 0;
  readonly dialler: Party;
  readonly acceptor: Party;

  constructor(seed: number, script: Partial<Script>) {
    this.random = seededRandom(seed);
    this.fort = this.net.join("right", new UtpEndpoint({ random: seededRandom(seed + 1) }));
    this.honest = this.net.join("left", new UtpEndpoint({ random: seededRandom(seed + 2) }));
    this.fort.engine.listen();
    this.dialler = this.#party("honest peer", 0, script, this.honest);
    this.acceptor = this.#party("besieged peer", 1, script, this.fort);
    this.dialler.peer = this.acceptor;
    this.acceptor.peer = this.dialler;
    this.net.onStray = ({ to, data }) => {
      this.#spend(to, data.length);
      this.onAnswer?.(data, to);
    };
    this.honest.onEvent = (event) => this.dialler.onEvent(event);
    this.fort.onEvent = (event) => {
      const { connection, type } = event;
      if (connection.remote.address !== this.honest.address.address) {
        this.onStranger?.(event);
        return;
      }
      this.acceptor.onEvent(event);
      if (type === "accepted") this.acceptor.start(connection);
    };
    this.dialler.start(this.honest.call((engine) => engine.connect(this.fort.address)));
  }

  #party(name: string, id: number, script: Partial<Script>, station: Station<UtpEndpoint>): Party {
    const call = <Result>(action: () => Result): Result => station.call(action);
    return new Party(name, id, { ...EAGER, ...script }, { clock: this.net.clock, random: this.random, call });
  }

  /** The honest peer's address counts as a stranger's when others use it. */
  attack(data: Uint8Array, remote: SocketAddress): void {
    const key = keyOf(remote);
    this.credit.set(key, (this.credit.get(key) ?? 0) + data.length);
    this.sent++;
    this.fort.call((engine, now) => engine.handleDatagram({ data, remote }, now));
  }

  #spend(remote: SocketAddress, bytes: number): void {
    const key = keyOf(remote);
    if (this.proved.has(key)) return;
    const left = (this.credit.get(key) ?? 0) - bytes;
    assert.ok(left >= 0, `${key} got ${-left} bytes more than came from it`);
    this.credit.set(key, left);
  }

  /** Everything dropped so far. */
  get dropped(): number {
    return [...this.fort.engine.drops.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Lets the honest peers finish, and all that is left of the others expire. */
  finish(ms: Millis): void {
    this.net.runFor(ms);
    for (const party of [this.dialler, this.acceptor]) {
      assert.ok(party.clean, `${party.name}: ${party.closed?.error}`);
      check(party);
    }
    assert.equal(this.fort.engine.size, 0, "strangers' connections stay");
  }
}

/** An address as `credit` and `proved` know it. */
export function keyOf({ address, port }: SocketAddress): string {
  return `${address} ${port}`;
}
