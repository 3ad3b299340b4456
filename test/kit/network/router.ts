import { seededRandom } from "../../../src/base/random.ts";
import { contains, knownAddress, parseSubnet, type Subnet } from "./address.ts";
import { Firewall, type FirewallOptions } from "./firewall.ts";
import type { Verdict } from "./middlebox.ts";
import { Nat, type NatOptions } from "./nat.ts";
import { type Packet, packetFamily, refusal } from "./packet.ts";
import type { Plug, PlugOptions, Segment, Station } from "./segment.ts";
import type { World } from "./world.ts";

/** One side of a router. */
export interface RouterPlug extends PlugOptions {
  readonly segment: Segment;
}

/** An inner side. */
export interface InnerPlug extends RouterPlug {
  /** Networks behind further routers of that segment. */
  readonly beyond?: readonly string[];
}

/** How a router is joined and what it does to packets that cross. */
export interface RouterOptions {
  readonly name: string;
  /** The way to everything that is not inside. */
  readonly outside: RouterPlug;
  /** The router is the gateway of these segments. */
  readonly inside: readonly InnerPlug[];
  /** Translates IPv4 to the first IPv4 address outside; inner networks are routed as they are without it. */
  readonly nat?: NatOptions;
  /** Filters IPv6; everything passes without it. */
  readonly firewall?: FirewallOptions;
}

/** Where a packet goes on, or why it does not. */
type Decision = { readonly packet: Packet; readonly via: Plug } | Extract<Verdict, { drop: string }>;

/** Joins segments, takes one hop off every packet, and may translate IPv4 and filter IPv6. */
export class Router implements Station {
  readonly name: string;
  readonly nat: Nat | undefined;
  readonly firewall: Firewall | undefined;
  readonly outside: Plug;
  readonly #world: World;
  readonly #inside: readonly { readonly plug: Plug; readonly reach: readonly Subnet[] }[];

  constructor(options: RouterOptions, world: World) {
    this.name = options.name;
    this.#world = world;
    this.#inside = options.inside.map(({ segment, beyond = [], ...plugOptions }) => {
      const plug = segment.attach(this, { ...plugOptions, gateway: true });
      return { plug, reach: [...plug.subnets, ...beyond.map(parseSubnet)] };
    });
    const announced = this.#inside
      .flatMap(({ reach }) => reach)
      .filter(({ address }) => address.family === 6 || !options.nat)
      .map(({ address, prefix }) => `${address.text}/${prefix}`);
    const { segment, routes = [], ...plugOptions } = options.outside;
    this.outside = segment.attach(this, { ...plugOptions, routes: [...routes, ...announced] });
    const outer = this.outside.address(4);
    if (options.nat && outer === undefined) throw new Error(`${this.name} has no outer IPv4 address`);
    this.nat = options.nat && new Nat(options.nat, outer!, seededRandom(world.random.integer(2 ** 32)));
    this.firewall = options.firewall && new Firewall(options.firewall);
  }

  /** Forgets all mappings and sessions; with other outer addresses if given. */
  reboot(outerAddresses?: readonly string[]): void {
    if (outerAddresses) this.outside.segment.renumber(this.outside, outerAddresses);
    this.nat?.reboot(this.outside.address(4));
    this.firewall?.reboot();
    this.#world.tell(`${this.name} reboots`);
  }

  receive(packet: Packet, plug: Plug): void {
    const decision = this.#decide(packet, plug);
    if ("via" in decision) {
      decision.via.up.send(decision.packet);
      return;
    }
    this.#world.observe({ kind: "dropped", where: this.name, packet, reason: decision.drop });
    if (decision.refuse && !packet.refused) plug.up.send(refusal(packet));
  }

  #decide(packet: Packet, plug: Plug): Decision {
    if (this.#isOwn(packet.target.address)) return { drop: "no service", refuse: true };
    if (packet.ttl <= 1) return { drop: "ttl" };
    const moving = { ...packet, ttl: packet.ttl - 1 };
    const neighbour = plug === this.outside ? undefined : this.#innerPlug(packet.target.address);
    if (neighbour) return neighbour === plug ? { drop: "no route" } : { packet: moving, via: neighbour };
    const verdict = this.#judge(moving, plug === this.outside);
    if ("drop" in verdict) return verdict;
    const via = verdict.to === "outside" ? this.outside : this.#innerPlug(verdict.packet.target.address);
    return via ? { packet: verdict.packet, via } : { drop: "no route" };
  }

  #judge(packet: Packet, inbound: boolean): Verdict {
    const box = packetFamily(packet) === 4 ? this.nat : this.firewall;
    if (!box) return { packet, to: inbound ? "inside" : "outside" };
    const now = this.#world.clock.now();
    return inbound ? box.inbound(packet, now) : box.outbound(packet, now);
  }

  #innerPlug(literal: string): Plug | undefined {
    const address = knownAddress(literal);
    return this.#inside.find(({ reach }) => reach.some((subnet) => contains(subnet, address)))?.plug;
  }

  /** An address of the router itself, where nothing listens. The NAT's outer one is the NAT's. */
  #isOwn(address: string): boolean {
    if (address === this.nat?.outer) return false;
    const plugs = [this.outside, ...this.#inside.map(({ plug }) => plug)];
    return plugs.some((plug) => plug.subnets.some((own) => own.address.text === address));
  }
}
