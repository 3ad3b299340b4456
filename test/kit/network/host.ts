import { format } from "node:util";
import { type SeededRandom, seededRandom } from "../../../src/base/random.ts";
import type { DatagramSocket, SocketAddress } from "../../../src/contract/datagram-socket.ts";
import type { NetworkInterface, Runtime } from "../../../src/contract/runtime.ts";
import { type Address, contains, knownAddress, parseSubnet, readAddress, type Subnet } from "./address.ts";
import { HostClock } from "./host-clock.ts";
import { DEFAULT_TTL, type Flow, type Packet, refusal } from "./packet.ts";
import type { Plug, PlugOptions, Segment, Station } from "./segment.ts";
import type { UdpSocket } from "./udp-socket.ts";
import { type Machine, UdpStack } from "./udp-stack.ts";
import type { World } from "./world.ts";

/** How a host behaves. */
export interface HostOptions {
  readonly name: string;
  /** May bind ports below 1024; false if absent. */
  readonly privileged?: boolean;
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

interface Way {
  /** None: it stays on the host. */
  readonly plug: Plug | undefined;
  readonly source: Address;
  readonly zone: string | undefined;
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
        ...(subnet.address.zoned ? { scopeId: index } : {}),
        ...(mtu === undefined ? {} : { mtu }),
      }));
    });
    return [...loopback, ...others];
  }

  isOwn(literal: string): boolean {
    return this.#owns(knownAddress(literal));
  }

  sourceTowards(literal: string, remote: string): { readonly address: string } | { readonly code: string } {
    const way = this.#way(knownAddress(literal), readAddress(remote));
    if (typeof way === "string") return { code: way };
    return { address: zoned(way.source.text, way.zone) };
  }

  transmit(socket: UdpSocket, data: Uint8Array, to: SocketAddress, ttl = DEFAULT_TTL): string | undefined {
    const target = readAddress(to.address);
    const way = this.#way(knownAddress(socket.local.address), target);
    if (typeof way === "string") return way;
    const packet = {
      source: { address: way.source.text, port: socket.local.port },
      target: { address: target!.text, port: to.port },
      data: new Uint8Array(data),
      ttl,
    };
    this.#leave(packet, way.plug);
    return undefined;
  }

  receive(packet: Packet, plug: Plug | undefined): void {
    const zone = this.#interfaces.find((candidate) => candidate.plug === plug)?.name;
    const here = ({ address, port }: SocketAddress) => ({ address: zoned(address, zone), port });
    const { refused } = packet;
    if (refused && !this.clock.asleep) {
      this.#hearRefusal({ source: here(refused.target), target: here(refused.source) });
      return;
    }
    const source = here(packet.source);
    const receiver = this.#receiver({ source, target: here(packet.target) });
    if (typeof receiver !== "string") {
      this.#world.observe({ kind: "received", where: this.name, packet });
      receiver.deliver(packet.data, source);
      return;
    }
    this.#world.observe({ kind: "dropped", where: this.name, packet, reason: receiver });
    if (receiver === "no socket" && !this.#options.silent) this.#leave(refusal(packet), plug);
  }

  /** Who gets a packet, or why nobody does. */
  #receiver(flow: Flow): UdpSocket | string {
    if (this.clock.asleep) return "asleep";
    if (!this.isOwn(flow.target.address)) return "not ours";
    return this.#udp.receiver(flow) ?? "no socket";
  }

  /** Only a connected socket is told, as in every real system. */
  #hearRefusal(answer: Flow): void {
    const socket = this.#udp.receiver(answer);
    if (socket?.peer) socket.fail("ECONNREFUSED", socket.peer);
  }

  /** Sends by a plug, or to the host itself. */
  #leave(packet: Packet, plug: Plug | undefined): void {
    this.#world.observe({ kind: "sent", where: this.name, packet });
    if (plug) plug.up.send(packet);
    else this.#world.clock.setTimer(this.#world.clock.now(), () => this.receive(packet, undefined));
  }

  #owns(address: Address): boolean {
    if (contains(LOOPBACK[address.family], address)) return address.zone === undefined;
    const owner = this.#interfaces.find(({ plug }) =>
      plug.subnets.some((own) => own.address.text === address.text),
    );
    return owner !== undefined && address.zone === (address.zoned ? owner.name : undefined);
  }

  /** How a socket bound to `bound` reaches `target`, or the errno code if it does not. */
  #way(bound: Address, target: Address | undefined): Way | string {
    if (target?.family !== bound.family || !(bound.wildcard || this.#owns(bound))) return "EINVAL";
    if (this.#owns(target)) {
      return { plug: undefined, source: bound.wildcard ? target : bound, zone: target.zone };
    }
    if (bound.scope === "loopback") return "EINVAL";
    const way = this.#route(target, bound);
    if (!way) return target.zoned ? "EINVAL" : "ENETUNREACH";
    return bound.wildcard ? way : { ...way, source: bound };
  }

  #route(target: Address, bound: Address): Way | undefined {
    const wanted = target.zone ?? bound.zone;
    const ways = this.#interfaces.flatMap(({ name: zone, plug }) => {
      if (target.zoned && zone !== wanted) return [];
      const isSource = ({ address }: Subnet) =>
        address.family === target.family && address.zoned === target.zoned;
      const source = plug.subnets.find(isSource)?.address;
      return source ? [{ plug, source, zone }] : [];
    });
    const has = (plug: Plug) => plug.subnets.some((own) => own.address.text === bound.text);
    if (this.#options.sourceRouting !== false && !bound.wildcard) return ways.find(({ plug }) => has(plug));
    return ways.find(({ plug }) => plug.subnets.some((own) => contains(own, target))) ?? ways[0];
  }

  #interface(name: string): Interface {
    const found = this.#interfaces.find((candidate) => candidate.name === name);
    if (!found) throw new Error(`${this.name} has no interface ${name}`);
    return found;
  }
}

function describe(name: string, { address, prefix }: Subnet, internal: boolean): NetworkInterface {
  return { name, address: address.text, family: `IPv${address.family}`, prefix, internal };
}

/** Adds the zone to a link-local IPv6 address. */
function zoned(address: string, zone: string | undefined): string {
  return zone !== undefined && knownAddress(address).zoned ? `${address}%${zone}` : address;
}
