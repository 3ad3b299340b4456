import { type SeededRandom, seededRandom } from "../../src/base/random.ts";
import { Host, type HostOptions } from "./network/host.ts";
import { formatEndpoint, type Packet } from "./network/packet.ts";
import { Router, type RouterOptions } from "./network/router.ts";
import { Segment, type SegmentOptions } from "./network/segment.ts";
import type { Observation, World } from "./network/world.ts";
import { describeBytes, Trace } from "./trace.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** What a network is made of. */
export interface NetworkOptions {
  /** All randomness comes from it; 1 if absent. */
  readonly seed?: number;
  readonly clock?: VirtualClock;
  readonly trace?: Trace;
  /** Puts a payload into words for the trace. */
  readonly describe?: (data: Uint8Array) => string;
}

/**
 * A simulated internet: hosts and routers on segments, one virtual clock, one seed. Build it, give
 * `host.runtime` to the code under test, and let `clock.run` or `clock.advance` move time.
 */
export class Network implements World {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly trace: Trace;
  /** Sees everything that happens to packets, as it happens. */
  observer: ((observation: Observation) => void) | undefined;
  readonly #describe: (data: Uint8Array) => string;
  readonly #hosts: Host[] = [];
  readonly #drops = new Map<string, number>();

  constructor(options: NetworkOptions = {}) {
    this.clock = options.clock ?? new VirtualClock();
    this.random = seededRandom(options.seed ?? 1);
    this.trace = options.trace ?? new Trace();
    this.#describe = options.describe ?? describeBytes;
  }

  /** A LAN or, with hops, an internet. */
  segment(options: SegmentOptions): Segment {
    return new Segment(options, this);
  }

  /** A machine; `attach` it to segments. */
  host(options: HostOptions): Host {
    const host = new Host(options, this);
    this.#hosts.push(host);
    return host;
  }

  /** A router, with a NAT for IPv4 and a firewall for IPv6 if asked for. */
  router(options: RouterOptions): Router {
    return new Router(options, this);
  }

  /** Packets dropped so far, for one reason or all. */
  dropped(reason?: string): number {
    if (reason !== undefined) return this.#drops.get(reason) ?? 0;
    return [...this.#drops.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Sockets that somebody forgot to close, such as `alice 10.0.0.2:5000`. */
  openSockets(): string[] {
    return this.#hosts.flatMap((host) =>
      host.openSockets.map((socket) => `${host.name} ${formatEndpoint(socket.local)}`),
    );
  }

  /** An error whose message ends with the trace. */
  failure(message: string): Error {
    return new Error(`${message}\n${this.trace}`);
  }

  observe(observation: Observation): void {
    const { reason } = observation;
    if (reason !== undefined) this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + 1);
    this.trace.add(this.clock.now(), () => this.#words(observation));
    this.observer?.(observation);
  }

  tell(text: string): void {
    this.trace.add(this.clock.now(), text);
  }

  #words({ kind, where, packet, reason }: Observation): string {
    const flow = `${formatEndpoint(packet.source)} > ${formatEndpoint(packet.target)} ttl ${packet.ttl}`;
    const why = reason === undefined ? "" : ` (${reason})`;
    const verb = { sent: "sends", received: "receives", dropped: "drops" }[kind];
    return `${where} ${verb} ${flow} ${this.#payload(packet)}${why}`;
  }

  #payload({ refused, data }: Packet): string {
    if (!refused) return this.#describe(data);
    return `refusal of ${formatEndpoint(refused.source)} > ${formatEndpoint(refused.target)}`;
  }
}
