import { format } from "node:util";
import { inSubnet, ipScope, parseIp } from "../../../src/base/ip.ts";
import { type SeededRandom, seededRandom } from "../../../src/base/random.ts";
import type { DatagramSocket, SocketAddress } from "../../../src/contract/datagram-socket.ts";
import type { NetworkInterface, Runtime } from "../../../src/contract/runtime.ts";
import { HostClock } from "./host-clock.ts";
import { DEFAULT_TTL, type Packet, refusal } from "./packet.ts";
import {
  type Plug,
  type PlugOptions,
  parseSubnet,
  type Segment,
  type Station,
  type Subnet,
} from "./segment.ts";
import type { UdpSocket } from "./udp-socket.ts";
import { type Machine, UdpStack } from "./udp-stack.ts";
import type { World } from "./world.ts";

/** How a host behaves. */
export interface HostOptions {
  readonly name: string;
  /** May bind ports below 1024; false if absent. */
  readonly privileged?: boolean;
  /**
   * Whether its sockets hear that nobody was there (ECONNREFUSED). False if absent, as with a real UDP
   * socket that is not connected.
   */
  readonly hearsRefusals?: boolean;
  /** A firewall drops what comes for closed ports, where others answer with an ICMP error. */
  readonly silent?: boolean;
  /**
   * What leaves goes by the interface that has its source address, as with policy routing (true if absent);
   * else by the first interface with a way to the target, as Linux does without.
   */
  readonly sourceRouting?: boolean;
}

interface Interface {
  readonly name: string;
  readonly index: number;
  readonly plug: Plug;
}

interface Route {
  readonly via: Interface;
  readonly source: string;
}

const LOOPBACK = { 4: parseSubnet("127.0.0.1/8"), 6: parseSubnet("::1/128") } as const;

/** A simulated machine with sockets on any number of interfaces; `runtime` is what code under test gets. */
export class Host implements Station, Machine {
  readonly name: string;
  readonly runtime: Runtime;
  readonly clock: HostClock;
  readonly random: SeededRandom;
  readonly privileged: boolean;
  readonly #options: HostOptions;
  readonly #world: World;
  readonly #udp: UdpStack;
  readonly #interfaces: Interface[] = [];
  #attached = 0;

  constructor(options: HostOptions, world: World) {
    this.name = options.name;
    this.privileged = options.privileged ?? false;
    this.clock = new HostClock(world.clock);
    this.random = seededRandom(world.random.integer(2 ** 32));
    this.#options = options;
    this.#world = world;
    this.#udp = new UdpStack(this);
    this.runtime = {
      clock: this.clock,
      random: this.random,
      bindDatagram: async (bindOptions): Promise<DatagramSocket> => this.#udp.bind(bindOptions),
      interfaces: () => this.interfaces(),
      log: (message, ...values) => world.tell(`${this.name} logs ${format(message, ...values)}`),
    };
  }

  /** Plugs the host into a segment; returns the interface's name, `eth0` for the first. */
  attach(segment: Segment, options: PlugOptions): string {
    const index = ++this.#attached;
    const name = `eth${index - 1}`;
    this.#interfaces.push({ name, index: index + 1, plug: segment.attach(this, options) });
    return name;
  }

  /** Unplugs an interface: its addresses are gone, sockets bound to them cannot send any more. */
  detach(name: string): void {
    const { plug } = this.#interface(name);
    plug.segment.detach(plug);
    this.#interfaces.splice(this.#interfaces.indexOf(this.#interface(name)), 1);
  }

  /** Gives an interface other addresses. */
  renumber(name: string, addresses: readonly string[]): void {
    const { plug } = this.#interface(name);
    plug.segment.renumber(plug, addresses);
  }

  /** The plug of an interface, to change its cables. */
  plug(name = "eth0"): Plug {
    return this.#interface(name).plug;
  }

  /** The machine sleeps: its clock stands still, what comes in is lost. */
  sleep(): void {
    this.clock.sleep();
  }

  wake(): void {
    this.clock.wake();
  }

  /** Fills the system's send queue: sockets say `queued` and keep the sender's arrays. */
  holdSends(): void {
    this.#udp.hold();
  }

  /** Empties it: held datagrams leave as their arrays are now, sinks hear `onDrain`. */
  drainSends(): void {
    this.#udp.drain();
  }

  /** Sockets that are not closed. */
  get openSockets(): readonly UdpSocket[] {
    return this.#udp.sockets;
  }

  /** What `runtime.interfaces` says; loopback first. */
  interfaces(): readonly NetworkInterface[] {
    const loopback = [LOOPBACK[4], LOOPBACK[6]].map((subnet) => describe("lo", subnet, true));
    const others = this.#interfaces.flatMap(({ name, index, plug }) => {
      const { mtu } = plug.up.link.options;
      return plug.subnets.map((subnet) => ({
        ...describe(name, subnet, false),
        ...(isLinkLocal(subnet.address) && subnet.family === 6 ? { scopeId: index } : {}),
        ...(mtu === undefined ? {} : { mtu }),
      }));
    });
    return [...loopback, ...others];
  }

  isOwn(literal: string): boolean {
    const [address = "", zone] = literal.split("%");
    const { ip, family } = parseSubnet(address);
    if (inSubnet(ip, LOOPBACK[family].ip, LOOPBACK[family].prefix)) return zone === undefined;
    const owner = this.#interfaces.find(({ plug }) => plug.subnets.some((own) => own.address === address));
    const zoned = family === 6 && isLinkLocal(address);
    return owner !== undefined && zone === (zoned ? owner.name : undefined);
  }

  transmit(
    socket: UdpSocket,
    data: Uint8Array,
    remote: SocketAddress,
    ttl = DEFAULT_TTL,
  ): string | undefined {
    const target = parseIp(remote.address);
    if (!target || (target.bytes.length === 4) === socket.local.address.includes(":")) return "EINVAL";
    const [bound = ""] = socket.local.address.split("%");
    if (!isWildcard(bound) && !this.isOwn(socket.local.address)) return "EINVAL";
    const { address, family } = parseSubnet(remote.address.split("%")[0]!);
    const packet = { data: data.slice(), target: { address, port: remote.port }, ttl };
    const source = (from: string) => ({ address: isWildcard(bound) ? from : bound, port: socket.local.port });
    if (this.isOwn(address) || this.isOwn(remote.address)) {
      this.#loop({ ...packet, source: source(address) });
      return undefined;
    }
    if (!isWildcard(bound) && ipScope(bound) === "loopback") return "EINVAL";
    const zone = target.zone ?? socket.local.address.split("%")[1];
    const route = this.#route(parseSubnet(address), bound, zone);
    if (!route) return family === 6 && isLinkLocal(address) ? "EINVAL" : "ENETUNREACH";
    this.#leave({ ...packet, source: source(route.source) }, route.via.plug);
    return undefined;
  }

  receive(packet: Packet, plug: Plug | undefined): void {
    const zone = this.#interfaces.find((candidate) => candidate.plug === plug)?.name;
    const target = { address: zoned(packet.target.address, zone), port: packet.target.port };
    if (packet.refused && !this.clock.asleep) {
      this.#hearRefusal(packet.refused);
      return;
    }
    const receiver = this.#receiver(target);
    if (typeof receiver !== "string") {
      this.#world.observe({ kind: "received", where: this.name, packet });
      receiver.deliver(packet.data, { ...packet.source, address: zoned(packet.source.address, zone) });
      return;
    }
    this.#world.observe({ kind: "dropped", where: this.name, packet, reason: receiver });
    if (receiver === "no socket" && !this.#options.silent) this.#answer(refusal(packet), plug);
  }

  /** Who gets a packet, or why nobody does. */
  #receiver(target: SocketAddress): UdpSocket | string {
    if (this.clock.asleep) return "asleep";
    if (!this.isOwn(target.address)) return "not ours";
    return this.#udp.receiver(target) ?? "no socket";
  }

  #hearRefusal({ source, target }: NonNullable<Packet["refused"]>): void {
    if (this.#options.hearsRefusals) this.#udp.receiver(source)?.fail("ECONNREFUSED", target);
  }

  #answer(packet: Packet, plug: Plug | undefined): void {
    if (plug) this.#leave(packet, plug);
    else this.#loop(packet);
  }

  #leave(packet: Packet, plug: Plug): void {
    this.#world.observe({ kind: "sent", where: this.name, packet });
    plug.up.send(packet);
  }

  #loop(packet: Packet): void {
    this.#world.observe({ kind: "sent", where: this.name, packet });
    this.#world.clock.setTimer(this.#world.clock.now(), () => this.receive(packet, undefined));
  }

  #route(target: Subnet, bound: string, zone: string | undefined): Route | undefined {
    const local = isLinkLocal(target.address);
    const usable = this.#interfaces.flatMap((via) => {
      const source = via.plug.subnets.find(
        (own) => own.family === target.family && (target.family === 4 || isLinkLocal(own.address) === local),
      );
      return source ? [{ via, source: source.address }] : [];
    });
    if (target.family === 6 && local) return usable.find(({ via }) => via.name === zone);
    const hasSource = ({ via }: Route) => via.plug.subnets.some((own) => own.address === bound);
    if (this.#options.sourceRouting !== false && !isWildcard(bound)) return usable.find(hasSource);
    return usable.find(({ via }) => isOnLink(target, via.plug)) ?? usable[0];
  }

  #interface(name: string): Interface {
    const found = this.#interfaces.find((candidate) => candidate.name === name);
    if (!found) throw new Error(`${this.name} has no interface ${name}`);
    return found;
  }
}

function describe(name: string, { address, family, prefix }: Subnet, internal: boolean): NetworkInterface {
  return { name, address, family: family === 4 ? "IPv4" : "IPv6", prefix, internal };
}

function isOnLink(target: Subnet, plug: Plug): boolean {
  return plug.subnets.some((own) => inSubnet(target.ip, own.ip, own.prefix));
}

function isWildcard(address: string): boolean {
  return ipScope(address) === "unspecified";
}

function isLinkLocal(address: string): boolean {
  return ipScope(address) === "link-local";
}

/** Adds the zone to a link-local IPv6 address. */
function zoned(address: string, zone: string | undefined): string {
  return zone !== undefined && address.startsWith("fe80:") ? `${address}%${zone}` : address;
}
