import { systemError } from "../../../src/base/errors.ts";
import { canonicalIp } from "../../../src/base/ip.ts";
import type { SeededRandom } from "../../../src/base/random.ts";
import type { Clock } from "../../../src/contract/clock.ts";
import type { BindOptions, SocketAddress } from "../../../src/contract/datagram-socket.ts";
import type { Flow } from "./packet.ts";
import { type SocketOwner, UdpSocket } from "./udp-socket.ts";

/** Linux's `ip_local_port_range`. */
const EPHEMERAL = { first: 32_768, last: 60_999 } as const;

/** Ports below need a privilege. */
const UNPRIVILEGED = 1024;

/** What a stack asks its machine. */
export interface Machine {
  readonly clock: Clock;
  readonly random: SeededRandom;
  /** May bind ports below 1024. */
  readonly privileged: boolean;
  /** Whether a canonical literal, with zone if link-local, can be bound; wildcards aside. */
  isOwn(address: string): boolean;
  /** The address a socket bound to `literal` sends from towards a remote literal, or why it cannot. */
  sourceTowards(literal: string, remote: string): { readonly address: string } | { readonly code: string };
  transmit(
    socket: UdpSocket,
    data: Uint8Array,
    remote: SocketAddress,
    ttl: number | undefined,
  ): string | undefined;
}

/** The sockets of one machine: binding, finding the receiver, the send queue. */
export class UdpStack implements SocketOwner {
  readonly #machine: Machine;
  readonly #sockets = new Map<number, readonly UdpSocket[]>();
  #holding = false;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  get holding(): boolean {
    return this.#holding;
  }

  /** Open sockets. */
  get sockets(): readonly UdpSocket[] {
    return [...this.#sockets.values()].flat();
  }

  /** Throws as `bindDatagram` rejects: EADDRNOTAVAIL, EADDRINUSE, EACCES, EINVAL, ENETUNREACH. */
  bind({ address, port = 0, connect, bufferSize }: BindOptions): UdpSocket {
    const fail = (code: string) => systemError(code, "bind", address, port);
    const literal = canonicalIp(address);
    if (literal === undefined) throw fail("EINVAL");
    if (literal !== wildcardOf(literal) && !this.#machine.isOwn(literal)) throw fail("EADDRNOTAVAIL");
    if (port !== 0 && port < UNPRIVILEGED && !this.#machine.privileged) throw fail("EACCES");
    if (port !== 0 && !this.#isFree(literal, port)) throw fail("EADDRINUSE");
    const chosen = port === 0 ? this.#ephemeral(literal) : port;
    if (chosen === undefined) throw fail("EADDRINUSE");
    const source = connect ? this.#connect(literal, connect) : literal;
    const socket = new UdpSocket(this, { address: source, port: chosen }, connect, bufferSize);
    this.#sockets.set(chosen, [...this.#boundTo(chosen), socket]);
    return socket;
  }

  /** The socket a datagram belongs to: connected to its source, else bound to its target, else to the wildcard. */
  receiver({ source, target }: Flow): UdpSocket | undefined {
    const bound = this.#boundTo(target.port);
    const wildcard = wildcardOf(target.address);
    const hears = ({ local, peer }: UdpSocket, address: string) =>
      local.address === address && (!peer || (peer.port === source.port && peer.address === source.address));
    return (
      bound.find((socket) => socket.peer && hears(socket, target.address)) ??
      bound.find((socket) => hears(socket, target.address)) ??
      bound.find((socket) => hears(socket, wildcard))
    );
  }

  transmit(
    socket: UdpSocket,
    data: Uint8Array,
    remote: SocketAddress,
    ttl: number | undefined,
  ): string | undefined {
    return this.#machine.transmit(socket, data, remote, ttl);
  }

  soon(task: () => void): void {
    const { clock } = this.#machine;
    clock.setTimer(clock.now(), task);
  }

  release(socket: UdpSocket): void {
    const others = this.#boundTo(socket.local.port).filter((other) => other !== socket);
    if (others.length > 0) this.#sockets.set(socket.local.port, others);
    else this.#sockets.delete(socket.local.port);
  }

  /** From now on the system's send queue is full: `send` says `queued`. */
  hold(): void {
    this.#holding = true;
  }

  /** The queue empties: what was held leaves, and the sinks hear `onDrain`. */
  drain(): void {
    this.#holding = false;
    for (const socket of this.sockets) socket.drain();
  }

  /** The address a socket bound to `literal` has once it is connected. */
  #connect(literal: string, remote: SocketAddress): string {
    const source = this.#machine.sourceTowards(literal, remote.address);
    if ("code" in source) throw systemError(source.code, "connect", remote.address, remote.port);
    return source.address;
  }

  #isFree(address: string, port: number): boolean {
    const wildcard = wildcardOf(address);
    return !this.#boundTo(port).some(({ local }) => {
      if (wildcardOf(local.address) !== wildcard) return false;
      return local.address === address || address === wildcard || local.address === wildcard;
    });
  }

  #boundTo(port: number): readonly UdpSocket[] {
    return this.#sockets.get(port) ?? [];
  }

  #ephemeral(address: string): number | undefined {
    const count = EPHEMERAL.last - EPHEMERAL.first + 1;
    const start = this.#machine.random.integer(count);
    for (let i = 0; i < count; i++) {
      const port = EPHEMERAL.first + ((start + i) % count);
      if (this.#isFree(address, port)) return port;
    }
    return undefined;
  }
}

function wildcardOf(address: string): string {
  return address.includes(":") ? "::" : "0.0.0.0";
}
