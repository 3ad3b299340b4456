import type { Instant, Millis } from "../../src/contract/clock.ts";
import type { Datagram, SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { DatagramEngine } from "../../src/contract/engine.ts";
import { Link, type LinkOptions } from "./link.ts";
import type { EventOf } from "./pair.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** IPv4 and UDP headers in bytes. */
const OVERHEAD = 28;

/** A datagram on its way; `remote` is where it comes from. */
export interface Crossing extends Datagram {
  readonly to: SocketAddress;
}

/** One engine at one end of a Bottleneck. */
export class Station<E extends DatagramEngine<unknown>> {
  readonly engine: E;
  readonly address: SocketAddress;
  /** Called for each event; may call the engine through `call`. */
  onEvent: ((event: EventOf<E>) => void) | undefined;
  readonly #drain: () => void;
  readonly #now: () => Instant;

  constructor(engine: E, address: SocketAddress, now: () => Instant, drain: () => void) {
    this.engine = engine;
    this.address = address;
    this.#now = now;
    this.#drain = drain;
  }

  /** Does something to the engine and drains it, as the engine contract asks. */
  call<Result>(action: (engine: E, now: Instant) => Result): Result {
    const result = action(this.engine, this.#now());
    this.#drain();
    return result;
  }
}

interface Member {
  readonly station: Station<DatagramEngine<unknown>>;
  readonly link: Link<Crossing>;
  draining: boolean;
  again: boolean;
}

/** Engines on both sides of one pair of links on one virtual clock: flows that compete for a bottleneck. */
export class Bottleneck {
  readonly clock = new VirtualClock();
  /** From the left side to the right one, and back. */
  readonly right: Link<Crossing>;
  readonly left: Link<Crossing>;
  /** Gets what arrives for nobody. */
  onStray: ((crossing: Crossing) => void) | undefined;
  readonly #members = new Map<string, Member>();

  constructor(link: { readonly right: LinkOptions; readonly left: LinkOptions }, seed = 1) {
    this.right = new Link(link.right, 2 * seed);
    this.left = new Link(link.left, 2 * seed + 1);
  }

  /** Puts an engine on one side; what it sends crosses to the other. */
  join<E extends DatagramEngine<unknown>>(side: "left" | "right", engine: E): Station<E> {
    const number = this.#members.size + 1;
    const address = { address: `10.0.${side === "left" ? 1 : 2}.${number}`, port: 1000 };
    const drain = () => this.#drain(member);
    const station = new Station(engine, address, () => this.clock.now(), drain);
    const member: Member = {
      station: station as unknown as Station<DatagramEngine<unknown>>,
      link: side === "left" ? this.right : this.left,
      draining: false,
      again: false,
    };
    this.#members.set(keyOf(address), member);
    return station;
  }

  /** Lets time pass, with everything that is due on the way. */
  runFor(ms: Millis): void {
    const until = this.clock.now() + ms;
    for (let next = this.#next(); next <= until; next = this.#next())
      this.#step(Math.max(next, this.clock.now()));
    this.clock.advanceTo(until);
  }

  #next(): Instant {
    let next = Math.min(this.right.next() ?? Infinity, this.left.next() ?? Infinity);
    next = Math.min(next, this.clock.nextTimer() ?? Infinity);
    for (const { station } of this.#members.values()) {
      next = Math.min(next, station.engine.pollTimeout() ?? Infinity);
    }
    return next;
  }

  #step(now: Instant): void {
    this.clock.advanceTo(now);
    for (const link of [this.right, this.left]) {
      for (let crossing = link.poll(now); crossing; crossing = link.poll(now)) this.#arrive(crossing, now);
    }
    for (const member of this.#members.values()) {
      const { engine } = member.station;
      if ((engine.pollTimeout() ?? Infinity) > now) continue;
      engine.handleTimeout(now);
      this.#drain(member);
    }
  }

  #arrive(crossing: Crossing, now: Instant): void {
    const member = this.#members.get(keyOf(crossing.to));
    if (!member) {
      this.onStray?.(crossing);
      return;
    }
    member.station.engine.handleDatagram(crossing, now);
    this.#drain(member);
  }

  #drain(member: Member): void {
    member.again = true;
    if (member.draining) return;
    member.draining = true;
    while (member.again) {
      member.again = false;
      this.#drainOnce(member);
    }
    member.draining = false;
  }

  #drainOnce({ station, link }: Member): void {
    const { engine, address } = station;
    const now = this.clock.now();
    for (let out = engine.pollTransmit(now); out; out = engine.pollTransmit(now)) {
      const data = new Uint8Array(out.data);
      link.send({ data, remote: address, to: out.remote }, data.length + OVERHEAD, now);
    }
    for (let event = engine.pollEvent(); event !== undefined; event = engine.pollEvent()) {
      station.onEvent?.(event);
    }
  }
}

function keyOf({ address, port }: SocketAddress): string {
  return `${address} ${port}`;
}
