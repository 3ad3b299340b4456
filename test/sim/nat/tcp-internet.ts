/** An internet of SYNs, as far as a TCP punch minds: hosts with or without a NAT, and connections that open, are refused or hang. */

import { seededRandom } from "../../../src/base/random.ts";
import type { Instant, Millis } from "../../../src/contract/clock.ts";
import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import { VirtualClock } from "../../kit/virtual-clock.ts";

/** How a host's NAT treats TCP. Nobody gets in who was not sent to from there, unless it is open. */
export interface TcpNat {
  /** Which outer port a connection gets: the host's own, any that all peers see, or another one for each peer: any, or the next one. */
  readonly ports: "kept" | "random" | "hard" | "steps";
  /**
   * What becomes of a SYN nobody has asked for. `trapped`: it is refused and remembered, so that a connection of ours to where
   * it came from gets another port for a while.
   */
  readonly unsolicited: "dropped" | "refused" | "trapped";
  /** Everybody gets in to a port that somebody has been sent to from. */
  readonly open?: boolean;
}

type Kind = "syn" | "synack" | "rst" | "data" | "fin";
interface Segment {
  readonly kind: Kind;
  readonly from: SocketAddress;
  readonly to: SocketAddress;
  readonly data?: Uint8Array;
}

/** What a socket tells. */
export interface TcpSink {
  onOpen(): void;
  onData(data: Uint8Array): void;
  /** Refused, reset, or ended by the peer: once, last. */
  onClosed(): void;
}

const SYN_REPEATS: readonly Millis[] = [1_000, 3_000, 7_000];
const TRAP_TIME: Millis = 10_000;

function keyOf({ address, port }: SocketAddress): string {
  return `${address} ${port}`;
}

/** All hosts, and what travels between them. */
export class TcpInternet {
  readonly clock = new VirtualClock();
  readonly random;
  /** Ms from any host to any other, one way. */
  readonly latency: Millis;
  /** SYNs that were sent to an address, repetitions included. */
  readonly syns = new Map<string, number>();
  readonly #hosts: TcpHost[] = [];
  /** Nothing overtakes what was sent before from the same host to the same address. */
  readonly #arrivals = new Map<string, Instant>();

  constructor(seed: number, latency: Millis = 20) {
    this.random = seededRandom(seed);
    this.latency = latency;
  }

  /** A host with a public address, behind a NAT of that address if it has one. */
  host(outer: string, nat?: TcpNat, inner = nat ? "192.168.1.2" : outer): TcpHost {
    const host = new TcpHost(this, outer, inner, nat);
    this.#hosts.push(host);
    return host;
  }

  send(source: TcpHost, segment: Segment): void {
    const { kind, to } = segment;
    if (kind === "syn") this.syns.set(to.address, (this.syns.get(to.address) ?? 0) + 1);
    const isPrivate = to.address.startsWith("192.168.");
    const target = isPrivate
      ? this.#hosts.find(({ outer, inner }) => outer === source.outer && inner === to.address)
      : this.#hosts.find(({ outer }) => outer === to.address);
    const delay = isPrivate ? 0.1 : this.latency + this.random.next();
    const from = isPrivate ? { ...segment.from, address: source.inner } : segment.from;
    const way = `${source.outer} ${source.inner} ${to.address}`;
    const at = Math.max(this.clock.now() + delay, this.#arrivals.get(way) ?? 0);
    this.#arrivals.set(way, at);
    this.clock.setTimer(at, () => target?.receive({ ...segment, from }, isPrivate));
  }
}

/** One host with its sockets, and its NAT. */
export class TcpHost {
  readonly outer: string;
  readonly inner: string;
  readonly internet: TcpInternet;
  readonly #nat: TcpNat | undefined;
  readonly #sockets = new Set<TcpSocket>();
  readonly #listeners = new Map<number, (remote: SocketAddress) => [TcpSocket, TcpSink]>();
  /** Outer ports by inner port, and by peer where that matters. */
  readonly #outerPorts = new Map<string, number>();
  readonly #traps = new Set<string>();
  #nextPort = 30_000;

  constructor(internet: TcpInternet, outer: string, inner: string, nat: TcpNat | undefined) {
    this.internet = internet;
    this.outer = outer;
    this.inner = inner;
    this.#nat = nat;
  }

  /** Connections that are open or about to. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** The port of ours that `remote` sees. */
  outerPort(port: number, remote: SocketAddress): number {
    const { ports = "kept" } = this.#nat ?? {};
    const trapped = this.#traps.has(`${port} ${keyOf(remote)}`);
    if (ports === "kept" && !trapped) return port;
    const isHard = ports === "hard" || ports === "steps";
    const key = isHard || trapped ? `${port} ${keyOf(remote)}` : `${port}`;
    const known = this.#outerPorts.get(key);
    const next = ports === "steps" ? this.#nextPort++ : 20_000 + this.internet.random.integer(40_000);
    const outer = known ?? next;
    this.#outerPorts.set(key, outer);
    return outer;
  }

  /** `onAccept` gives the sink of a connection that has come in. */
  listen(port: number, onAccept: (socket: TcpSocket) => TcpSink): void {
    this.#listeners.set(port, (remote) => {
      const socket = new TcpSocket(this, port, remote);
      return [socket, onAccept(socket)];
    });
  }

  connect(port: number, remote: SocketAddress, sink: TcpSink): TcpSocket {
    const socket = new TcpSocket(this, port, remote);
    this.#sockets.add(socket);
    socket.connect(sink);
    return socket;
  }

  forget(socket: TcpSocket): void {
    this.#sockets.delete(socket);
  }

  send(socket: TcpSocket, kind: Kind, data?: Uint8Array): void {
    const { port, remote } = socket;
    this.#send(kind, remote, port, data);
  }

  #send(kind: Kind, to: SocketAddress, port: number, data?: Uint8Array): void {
    const near = to.address.startsWith("192.168.");
    const from = { address: this.outer, port: near ? port : this.outerPort(port, to) };
    this.internet.send(this, { kind, from, to, ...(data && { data }) });
  }

  receive(segment: Segment, near: boolean): void {
    const { kind, from, to, data } = segment;
    const own = (port: number): boolean => (near ? port : this.outerPort(port, from)) === to.port;
    const socket = [...this.#sockets].find(({ port, remote }) => keyOf(remote) === keyOf(from) && own(port));
    if (socket) socket.receive(kind, data);
    else if (kind === "syn") this.#receiveSyn(from, to.port, near);
    else if (kind === "synack") this.#answer("rst", from, to.port);
  }

  #receiveSyn(from: SocketAddress, port: number, near: boolean): void {
    const inner = this.#nat?.open && !near ? this.#innerPort(port) : port;
    const listener = this.#listeners.get(inner);
    if (listener && (near || !this.#nat || this.#nat.open)) {
      const [socket, sink] = listener(from);
      this.#sockets.add(socket);
      socket.accept(sink);
    } else if (near || !this.#nat) {
      this.#send("rst", from, port);
    } else if (this.#nat.unsolicited !== "dropped") {
      this.#refuse(from, port);
    }
  }

  /** The port of ours that everybody sees as that one. */
  #innerPort(outer: number): number {
    const key = [...this.#outerPorts.entries()].find(([, port]) => port === outer)?.[0];
    return key === undefined ? outer : Number(key);
  }

  #answer(kind: Kind, to: SocketAddress, port: number): void {
    this.internet.send(this, { kind, from: { address: this.outer, port }, to });
  }

  #refuse(from: SocketAddress, port: number): void {
    const { clock } = this.internet;
    this.#answer("rst", from, port);
    if (this.#nat?.unsolicited !== "trapped") return;
    const trap = `${port} ${keyOf(from)}`;
    this.#traps.add(trap);
    clock.setTimer(clock.now() + TRAP_TIME, () => this.#traps.delete(trap)).unref();
  }
}

/** One end of a connection (RFC 9293 §3.5, simultaneous open included). */
export class TcpSocket {
  readonly port: number;
  readonly remote: SocketAddress;
  readonly #host: TcpHost;
  #sink: TcpSink | undefined;
  #state: "sent" | "received" | "open" | "closed" = "sent";

  constructor(host: TcpHost, port: number, remote: SocketAddress) {
    this.#host = host;
    this.port = port;
    this.remote = remote;
  }

  connect(sink: TcpSink): void {
    const { clock } = this.#host.internet;
    this.#sink = sink;
    this.#host.send(this, "syn");
    for (const after of SYN_REPEATS) {
      const repeat = (): void => (this.#state === "sent" ? this.#host.send(this, "syn") : undefined);
      clock.setTimer(clock.now() + after, repeat).unref();
    }
  }

  accept(sink: TcpSink): void {
    this.#sink = sink;
    this.#state = "received";
    this.#host.send(this, "synack");
  }

  receive(kind: Kind, data?: Uint8Array): void {
    if (kind === "rst" || kind === "fin") this.#end();
    else if (kind === "syn" && this.#state === "sent") {
      this.#state = "received";
      this.#host.send(this, "synack");
    } else if (kind === "synack" && this.#state === "sent") {
      this.#host.send(this, "synack");
      this.#open();
    } else if (kind === "synack" && this.#state === "received") this.#open();
    else if (data && this.#state === "open") this.#sink?.onData(data);
  }

  #open(): void {
    this.#state = "open";
    this.#sink?.onOpen();
  }

  #end(): void {
    this.#host.forget(this);
    this.#state = "closed";
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onClosed();
  }

  write(data: Uint8Array): void {
    if (this.#state === "open") this.#host.send(this, "data", data);
  }

  /** Nothing is told any more. */
  close(): void {
    this.#sink = undefined;
    this.#host.forget(this);
    if (this.#state === "open" || this.#state === "received") this.#host.send(this, "fin");
    this.#state = "closed";
  }
}
