import type { SeededRandom } from "../../../src/base/random.ts";
import type { Instant, Millis } from "../../../src/contract/clock.ts";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { type Dependence, dependentKey, Filter, type Lifetimes } from "./filter.ts";
import type { Middlebox, Verdict } from "./middlebox.ts";
import { endpointKey, type Packet } from "./packet.ts";
import { PortAllocator, type PortPolicy } from "./ports.ts";

/** A NAT in the words of RFC 4787. */
export interface NatOptions extends Lifetimes {
  readonly mapping: Dependence;
  readonly filtering: Dependence;
  /** `preserving` if absent. */
  readonly ports?: PortPolicy;
  /** Inner hosts reach each other by their outer endpoints (RFC 4787 §6); false if absent. */
  readonly hairpin?: boolean;
  /**
   * The conntrack trap: a packet from outside that no mapping lets in is remembered, and as long as it is, a
   * packet of an inner host to that very endpoint gets another outer port than the one it would have.
   */
  readonly acceptsUnsolicited?: boolean;
  /** What no mapping lets in is answered with an ICMP error; false if absent. */
  readonly refusesUnsolicited?: boolean;
}

/** Linux's `nf_conntrack_udp_timeout`: how long the trap holds after the last packet. */
const TRAP_LIFETIME: Millis = 30_000;

interface Mapping {
  readonly key: string;
  readonly inner: SocketAddress;
  readonly port: number;
  readonly filter: Filter;
  /** Made by hand (UPnP, PCP): never dies and lets everybody in. */
  readonly forwarded: boolean;
}

/** Network address and port translation for UDP over IPv4, without I/O. */
export class Nat implements Middlebox {
  readonly #options: NatOptions;
  readonly #ports: PortAllocator;
  readonly #byKey = new Map<string, Mapping>();
  readonly #byPort = new Map<number, Mapping>();
  readonly #traps = new Map<string, Instant>();
  #outer: string;

  constructor(options: NatOptions, outer: string, random: SeededRandom) {
    this.#options = options;
    this.#outer = outer;
    this.#ports = new PortAllocator(options.ports ?? "preserving", random);
  }

  /** The address all mappings have outside. */
  get outer(): string {
    return this.#outer;
  }

  /** Forgets every mapping that was not made by hand, as a reboot does; with another address if given. */
  reboot(outer = this.#outer): void {
    this.#outer = outer;
    this.#ports.reset();
    this.#traps.clear();
    for (const mapping of this.#byPort.values()) if (!mapping.forwarded) this.#forget(mapping);
  }

  /** Maps an outer port to an inner endpoint for good, as UPnP, NAT-PMP and PCP do. */
  forward(port: number, inner: SocketAddress): void {
    const key = this.#key(inner, { address: "", port: 0 });
    this.unforward(port);
    this.#remember({ key, inner, port, filter: this.#newFilter(), forwarded: true });
  }

  unforward(port: number): void {
    const mapping = this.#byPort.get(port);
    if (mapping) this.#forget(mapping);
  }

  outbound(packet: Packet, now: Instant): Verdict {
    if (packet.refused) return this.#outboundRefusal(packet, packet.refused, now);
    const turned = packet.target.address === this.#outer;
    if (turned && !this.#options.hairpin) return { drop: "hairpin" };
    const mapping = this.#mappingFor(packet.source, packet.target, now);
    if (!mapping) return { drop: "out of ports" };
    mapping.filter.outbound(packet.target, now);
    const translated = { ...packet, source: { address: this.#outer, port: mapping.port } };
    return turned ? this.inbound(translated, now) : { packet: translated, to: "outside" };
  }

  inbound(packet: Packet, now: Instant): Verdict {
    if (packet.target.address !== this.#outer) return { drop: "no mapping" };
    if (packet.refused) return this.#inboundRefusal(packet, packet.refused, now);
    const mapping = this.#live(this.#byPort.get(packet.target.port), now);
    const allowed = mapping?.forwarded || mapping?.filter.inbound(packet.source, now);
    if (mapping && allowed) return { packet: { ...packet, target: mapping.inner }, to: "inside" };
    const { acceptsUnsolicited, refusesUnsolicited } = this.#options;
    if (!acceptsUnsolicited) {
      return { drop: mapping ? "filtered" : "no mapping", ...(refusesUnsolicited && { refuse: true }) };
    }
    this.#traps.set(trapKey(packet.source, packet.target.port), now + TRAP_LIFETIME);
    return { drop: "trapped", refuse: true };
  }

  /** An inner host refuses what came in through a mapping. */
  #outboundRefusal(
    packet: Packet,
    { source, target }: NonNullable<Packet["refused"]>,
    now: Instant,
  ): Verdict {
    const mapping = this.#find(target, source, now);
    if (!mapping) return { drop: "no mapping" };
    const outer = { address: this.#outer, port: mapping.port };
    const translated = {
      ...packet,
      source: { address: this.#outer, port: 0 },
      refused: { source, target: outer },
    };
    return { packet: translated, to: "outside" };
  }

  /** Somebody outside refuses what an inner host has sent. */
  #inboundRefusal(packet: Packet, { source, target }: NonNullable<Packet["refused"]>, now: Instant): Verdict {
    const mapping = this.#live(this.#byPort.get(source.port), now);
    if (!mapping) return { drop: "no mapping" };
    const refused = { source: mapping.inner, target };
    return {
      packet: { ...packet, target: { address: mapping.inner.address, port: 0 }, refused },
      to: "inside",
    };
  }

  #mappingFor(inner: SocketAddress, remote: SocketAddress, now: Instant): Mapping | undefined {
    const usual = this.#find(inner, remote, now);
    if (usual && !this.#trapped(remote, usual.port, now)) return usual;
    const wanted = (this.#options.ports ?? "preserving") === "preserving" ? inner.port : undefined;
    const sprung = usual !== undefined || (wanted !== undefined && this.#trapped(remote, wanted, now));
    const key = sprung ? flowKey(inner, remote) : this.#key(inner, remote);
    const free = (port: number) =>
      !this.#live(this.#byPort.get(port), now) && !this.#trapped(remote, port, now);
    const port = this.#ports.allocate(inner.port, free);
    if (port === undefined) return undefined;
    const mapping = { key, inner, port, filter: this.#newFilter(), forwarded: false };
    this.#remember(mapping);
    return mapping;
  }

  /** The mapping a packet from `inner` to `remote` has: one of the flow alone goes first. */
  #find(inner: SocketAddress, remote: SocketAddress, now: Instant): Mapping | undefined {
    return (
      this.#live(this.#byKey.get(flowKey(inner, remote)), now) ??
      this.#live(this.#byKey.get(this.#key(inner, remote)), now)
    );
  }

  #key(inner: SocketAddress, remote: SocketAddress): string {
    return `${endpointKey(inner)} ${dependentKey(this.#options.mapping, remote)}`;
  }

  #newFilter(): Filter {
    return new Filter(this.#options.filtering, this.#options);
  }

  #live(mapping: Mapping | undefined, now: Instant): Mapping | undefined {
    if (!mapping || mapping.forwarded || mapping.filter.alive(now)) return mapping;
    this.#forget(mapping);
    return undefined;
  }

  #remember(mapping: Mapping): void {
    this.#byKey.set(mapping.key, mapping);
    this.#byPort.set(mapping.port, mapping);
  }

  #forget(mapping: Mapping): void {
    if (this.#byKey.get(mapping.key) === mapping) this.#byKey.delete(mapping.key);
    if (this.#byPort.get(mapping.port) === mapping) this.#byPort.delete(mapping.port);
  }

  #trapped(remote: SocketAddress, port: number, now: Instant): boolean {
    return (this.#traps.get(trapKey(remote, port)) ?? Number.NEGATIVE_INFINITY) > now;
  }
}

function trapKey(remote: SocketAddress, port: number): string {
  return `${endpointKey(remote)} ${port}`;
}

function flowKey(inner: SocketAddress, remote: SocketAddress): string {
  return `${endpointKey(inner)} alone to ${endpointKey(remote)}`;
}
