import { ipFamily } from "../../src/base/ip.ts";
import type { Instant, Millis } from "../../src/contract/clock.ts";
import type { Datagram, SocketAddress } from "../../src/contract/datagram-socket.ts";
import type { DatagramEngine } from "../../src/contract/engine.ts";
import { Link, type LinkDrop, type LinkOptions } from "./link.ts";
import { describeBytes, Trace } from "./trace.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** Steps one instant may take before the engines are taken to spin (chosen). */
const MAX_STEPS_PER_INSTANT = 100_000;

/** Virtual time granted to `runUntil` and `runUntilIdle` unless told (chosen). */
const RUN_LIMIT: Millis = 600_000;

/** IP and UDP headers in bytes. */
const OVERHEAD = { 4: 28, 6: 48 } as const;

/** The events of an engine. */
export type EventOf<E> = E extends DatagramEngine<infer Event> ? Event : never;

/** One end of a Pair. */
export type SideName = "a" | "b";

/**
 * Sees every datagram before the link does. Returns what to send instead, or undefined to drop it.
 * The array is the pair's own copy: keep it or change it.
 */
export type Intercept = (data: Uint8Array, from: SideName, now: Instant) => Uint8Array | undefined;

/** What a Pair is made of. */
export interface PairOptions<A extends DatagramEngine<unknown>, B extends DatagramEngine<unknown>> {
  readonly a: A;
  readonly b: B;
  /** Feeds the links' randomness; 1 if absent. */
  readonly seed?: number;
  /** Both directions alike, or each. */
  readonly link?: LinkOptions | { readonly ab: LinkOptions; readonly ba: LinkOptions };
  readonly clock?: VirtualClock;
  readonly trace?: Trace;
  /** Puts a datagram into words for the trace. */
  readonly describe?: (data: Uint8Array) => string;
  readonly intercept?: Intercept;
}

/** One engine with its address and all it has said. */
export class Side<E extends DatagramEngine<unknown>> {
  readonly engine: E;
  readonly name: SideName;
  /** Changing it is what a NAT does that forgot its mapping. */
  address: SocketAddress;
  /** Every event so far, oldest first. Take them out as you like. */
  readonly events: EventOf<E>[] = [];
  /** Called for each event after it was added to `events`; may call the engine through `call`. */
  onEvent: ((event: EventOf<E>) => void) | undefined;
  readonly #changed: (side: SideName) => void;
  readonly #now: () => Instant;

  constructor(
    name: SideName,
    engine: E,
    address: SocketAddress,
    now: () => Instant,
    changed: (side: SideName) => void,
  ) {
    this.name = name;
    this.engine = engine;
    this.address = address;
    this.#now = now;
    this.#changed = changed;
  }

  /** Does something to the engine and drains it, as the engine contract asks. */
  call<Result>(action: (engine: E, now: Instant) => Result): Result {
    const result = action(this.engine, this.#now());
    this.#changed(this.name);
    return result;
  }
}

/**
 * Two datagram engines joined by two links on one virtual clock. Drains after every change (engine
 * contract). What an engine sends to any address but its peer's is counted in `misaddressed`.
 */
export class Pair<A extends DatagramEngine<unknown>, B extends DatagramEngine<unknown>> {
  readonly a: Side<A>;
  readonly b: Side<B>;
  readonly ab: Link<Datagram>;
  readonly ba: Link<Datagram>;
  readonly clock: VirtualClock;
  readonly trace: Trace;
  intercept: Intercept | undefined;
  misaddressed = 0;
  readonly #describe: (data: Uint8Array) => string;
  readonly #draining = { a: false, b: false };
  readonly #again = { a: false, b: false };
  #stepsInInstant = 0;

  constructor(options: PairOptions<A, B>) {
    const { seed = 1, link = {} } = options;
    this.clock = options.clock ?? new VirtualClock();
    this.trace = options.trace ?? new Trace();
    this.intercept = options.intercept;
    this.#describe = options.describe ?? describeBytes;
    const now = () => this.clock.now();
    const changed = (side: SideName) => this.#drain(side);
    this.a = new Side("a", options.a, { address: "10.0.0.1", port: 1001 }, now, changed);
    this.b = new Side("b", options.b, { address: "10.0.0.2", port: 1002 }, now, changed);
    this.ab = new Link("ab" in link ? link.ab : link, 2 * seed);
    this.ba = new Link("ba" in link ? link.ba : link, 2 * seed + 1);
  }

  /** The next instant at which anything happens. */
  next(): Instant | undefined {
    const next = Math.min(
      this.ab.next() ?? Infinity,
      this.ba.next() ?? Infinity,
      this.a.engine.pollTimeout() ?? Infinity,
      this.b.engine.pollTimeout() ?? Infinity,
      this.clock.nextTimer() ?? Infinity,
    );
    return next === Infinity ? undefined : Math.max(next, this.clock.now());
  }

  /** Goes to the next instant and does all that is due: clock timers, arrivals, time-outs. False: nothing left. */
  step(): boolean {
    const next = this.next();
    if (next === undefined) return false;
    this.#stepTo(next);
    return true;
  }

  /** Steps through everything up to `until` and stops the clock there. */
  run(until: Instant): void {
    for (let next = this.next(); next !== undefined && next <= until; next = this.next()) this.#stepTo(next);
    this.clock.advanceTo(until);
  }

  /** `run` for a length of time. */
  runFor(ms: Millis): void {
    this.run(this.clock.now() + ms);
  }

  /** Steps until `condition` holds; throws with the trace if it does not within `limit` ms. */
  runUntil(condition: () => boolean, limit: Millis = RUN_LIMIT): void {
    const end = this.clock.now() + limit;
    while (!condition()) {
      const next = this.next();
      if (next === undefined || next > end) {
        const why = next === undefined ? "nothing is left to happen" : `${limit} ms have passed`;
        throw this.failure(`the condition does not hold and ${why}`);
      }
      this.#stepTo(next);
    }
  }

  /** Steps until nothing is left to happen; throws with the trace if that takes more than `limit` ms. */
  runUntilIdle(limit: Millis = RUN_LIMIT): void {
    this.runUntil(() => this.next() === undefined, limit);
  }

  /** An error whose message ends with the trace. */
  failure(message: string): Error {
    return new Error(`${message}\n${this.trace}`);
  }

  #stepTo(at: Instant): void {
    this.#guard(at);
    this.clock.advanceTo(at);
    this.#deliver(this.ab, this.b, at);
    this.#deliver(this.ba, this.a, at);
    this.#expire(this.a, at);
    this.#expire(this.b, at);
  }

  #guard(at: Instant): void {
    if (at > this.clock.now()) this.#stepsInInstant = 0;
    else if (++this.#stepsInInstant > MAX_STEPS_PER_INSTANT) throw this.failure("time stands still");
  }

  #deliver(link: Link<Datagram>, to: Side<DatagramEngine<unknown>>, now: Instant): void {
    for (let datagram = link.poll(now); datagram; datagram = link.poll(now)) {
      const { data } = datagram;
      this.trace.add(now, () => `${to.name} receives ${this.#describe(data)}`);
      to.engine.handleDatagram(datagram, now);
      this.#drain(to.name);
    }
  }

  #expire(side: Side<DatagramEngine<unknown>>, now: Instant): void {
    const timeout = side.engine.pollTimeout();
    if (timeout === undefined || timeout > now) return;
    this.trace.add(now, () => `${side.name} times out`);
    side.engine.handleTimeout(now);
    this.#drain(side.name);
  }

  #drain(name: SideName): void {
    this.#again[name] = true;
    if (this.#draining[name]) return;
    this.#draining[name] = true;
    try {
      while (this.#again[name]) {
        this.#again[name] = false;
        this.#drainOnce(this[name]);
      }
    } finally {
      this.#draining[name] = false;
    }
  }

  #drainOnce(side: Side<DatagramEngine<unknown>>): void {
    const { engine } = side;
    const now = this.clock.now();
    for (let out = engine.pollTransmit(now); out; out = engine.pollTransmit(now)) this.#send(side, out, now);
    for (let event = engine.pollEvent(); event !== undefined; event = engine.pollEvent()) {
      const said = event;
      this.trace.add(now, () => `${side.name} says ${describeEvent(said)}`);
      side.events.push(said);
      side.onEvent?.(said);
    }
  }

  #send(side: Side<DatagramEngine<unknown>>, out: Datagram, now: Instant): void {
    const [link, peer] = side.name === "a" ? [this.ab, this.b] : [this.ba, this.a];
    const { address, port } = out.remote;
    if (port !== peer.address.port || address !== peer.address.address) {
      this.misaddressed++;
      this.trace.add(now, () => `${side.name} sends to ${address}:${port}, where nobody is`);
      return;
    }
    // The engine may use its buffer again at once.
    const copy = new Uint8Array(out.data);
    const data = this.intercept ? this.intercept(copy, side.name, now) : copy;
    const drop = data && link.send({ data, remote: side.address }, sizeOf(data, address), now);
    this.trace.add(now, () => {
      return `${side.name} sends ${this.#describe(data ?? copy)}${fate(data ? drop : "intercept")}`;
    });
  }
}

function sizeOf(data: Uint8Array, address: string): number {
  return data.length + OVERHEAD[ipFamily(address) === 6 ? 6 : 4];
}

function fate(drop: LinkDrop | "intercept" | undefined): string {
  return drop === undefined ? "" : ` (dropped: ${drop})`;
}

function describeEvent(event: unknown): string {
  return JSON.stringify(event, (_key, value: unknown) =>
    value instanceof Uint8Array
      ? describeBytes(value)
      : typeof value === "bigint" || typeof value === "function"
        ? String(value)
        : value,
  );
}
