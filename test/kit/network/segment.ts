import type { LinkOptions } from "../link.ts";
import { type Address, contains, knownAddress, parseSubnet, type Subnet } from "./address.ts";
import { Cable } from "./cable.ts";
import type { Packet } from "./packet.ts";
import type { World } from "./world.ts";

/** A machine that can be plugged into a segment. */
export interface Station {
  readonly name: string;
  receive(packet: Packet, plug: Plug): void;
}

/** How a machine is plugged in. */
export interface PlugOptions {
  /** Addresses with prefix length, such as `192.168.1.2/24`; without one it is /24 or /64. */
  readonly addresses: readonly string[];
  /** Both directions alike, or each; the segment's link if absent. */
  readonly link?: LinkOptions | { readonly up: LinkOptions; readonly down: LinkOptions };
  /** Takes what is for no address of the segment. */
  readonly gateway?: boolean;
  /** Networks that are reached through this machine, such as `2001:db8:1::/48`. */
  readonly routes?: readonly string[];
}

/** How to make a segment. */
export interface SegmentOptions {
  readonly name: string;
  /** Routers a packet passes between any two machines: 0 is a LAN, 8 a realistic internet. */
  readonly hops?: number;
  /** For machines that bring no link of their own. */
  readonly link?: LinkOptions;
}

/** One machine's connection to one segment. */
export class Plug {
  readonly segment: Segment;
  readonly station: Station;
  readonly gateway: boolean;
  readonly routes: readonly Subnet[];
  /** The cable away from the machine and the one towards it. */
  readonly up: Cable;
  readonly down: Cable;
  /** Changed by the segment alone. */
  subnets: readonly Subnet[] = [];
  attached = true;

  constructor(segment: Segment, station: Station, options: PlugOptions, world: World) {
    const { link = segment.link } = options;
    const name = `${station.name}–${segment.name}`;
    this.segment = segment;
    this.station = station;
    this.gateway = options.gateway ?? false;
    this.routes = (options.routes ?? []).map(parseSubnet);
    this.up = new Cable(name, "up" in link ? link.up : link, world, (packet) => segment.carry(packet, this));
    this.down = new Cable(name, "down" in link ? link.down : link, world, (packet) => {
      if (this.attached) station.receive(packet, this);
      else world.observe({ kind: "dropped", where: name, packet, reason: "unplugged" });
    });
  }

  /** The first address of the family. */
  address(family: 4 | 6): string | undefined {
    return this.subnets.find(({ address }) => address.family === family)?.address.text;
  }
}

/** A LAN, or with `hops` a whole internet: carries packets to the machine that has the address. */
export class Segment {
  readonly name: string;
  readonly link: LinkOptions;
  readonly #hops: number;
  readonly #world: World;
  readonly #plugs = new Set<Plug>();
  readonly #owners = new Map<string, Plug>();

  constructor(options: SegmentOptions, world: World) {
    this.name = options.name;
    this.link = options.link ?? {};
    this.#hops = options.hops ?? 0;
    this.#world = world;
  }

  attach(station: Station, options: PlugOptions): Plug {
    const plug = new Plug(this, station, options, this.#world);
    this.#plugs.add(plug);
    this.renumber(plug, options.addresses);
    return plug;
  }

  /** Gives a machine other addresses. Throws if another one has them. */
  renumber(plug: Plug, addresses: readonly string[]): void {
    const subnets = addresses.map(parseSubnet);
    for (const { address } of subnets) {
      const owner = this.#owners.get(address.text);
      if (owner && owner !== plug) throw new Error(`${owner.station.name} has ${address.text} already`);
    }
    for (const { address } of plug.subnets) this.#owners.delete(address.text);
    for (const { address } of subnets) this.#owners.set(address.text, plug);
    plug.subnets = subnets;
  }

  /** Pulls the plug: what is on its way to and from it is lost. */
  detach(plug: Plug): void {
    this.renumber(plug, []);
    this.#plugs.delete(plug);
    plug.attached = false;
  }

  /** Takes a packet that has come up `from`'s cable. */
  carry(packet: Packet, from: Plug): void {
    const ttl = packet.ttl - this.#hops;
    const next = this.#next(packet.target.address, ttl, from);
    if (typeof next !== "string") next.down.send(this.#hops === 0 ? packet : { ...packet, ttl });
    else this.#world.observe({ kind: "dropped", where: this.name, packet, reason: next });
  }

  /** Where a packet goes, or why it goes nowhere. */
  #next(address: string, ttl: number, from: Plug): Plug | string {
    if (!from.attached) return "unplugged";
    if (ttl < 1) return "ttl";
    const plug = this.#owners.get(address) ?? this.#route(knownAddress(address));
    return plug && plug !== from ? plug : "no route";
  }

  /** The longest route, else the gateway. */
  #route(target: Address): Plug | undefined {
    let best: Plug | undefined;
    let longest = -1;
    for (const plug of this.#plugs) {
      if (plug.gateway && plug.address(target.family)) best ??= plug;
      for (const route of plug.routes) {
        if (route.prefix <= longest || !contains(route, target)) continue;
        best = plug;
        longest = route.prefix;
      }
    }
    return best;
  }
}
