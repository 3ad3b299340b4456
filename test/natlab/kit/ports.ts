import type { SocketAddress } from "../../../src/contract/datagram-socket.ts";
import type { Arrival } from "../programs/ports.ts";
import type { Machine } from "./machine.ts";
import { Program } from "./program.ts";

/** Chosen: many times what a packet takes through any lab. */
const PATIENCE = 5_000;

/** Plain UDP and TCP ports of a machine, driven from here. */
export class Ports {
  readonly machine: Machine;
  readonly #program: Program;
  readonly #sockets = new Map<number, UdpPort>();

  constructor(machine: Machine) {
    this.machine = machine;
    this.#program = new Program(machine, "ports");
    this.#program.on("arrival", (arrival: Arrival) => this.#sockets.get(arrival.socket)?.receive(arrival));
  }

  /** Opens a UDP socket, at the machine's first address and any port unless told. With `peer` it hears only that. */
  async udp({ address = this.machine.address, port = 0 } = {}, peer?: SocketAddress): Promise<UdpPort> {
    const local = { address, port };
    const opened = await this.#program.call<{ socket: number; port: number }>("openUdp", { local, peer });
    const send = (text: string, to: SocketAddress | undefined, ttl: number) =>
      this.#program.call<void>("send", { socket: opened.socket, text, to, ttl });
    const socket = new UdpPort({ address, port: opened.port }, send);
    this.#sockets.set(opened.socket, socket);
    return socket;
  }

  /** A TCP server that tells clients their endpoint. */
  serveTcp(local: SocketAddress): Promise<void> {
    return this.#program.call("serveTcp", local);
  }

  /** Connects by TCP: the endpoint the server sees, or the code of the error. */
  askTcp(to: SocketAddress, timeout = PATIENCE): Promise<SocketAddress | string> {
    return this.#program.call("askTcp", { to, timeout });
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }
}

type Send = (text: string, to: SocketAddress | undefined, ttl: number) => Promise<void>;

/** A UDP socket on a machine of the lab. */
export class UdpPort {
  readonly local: SocketAddress;
  readonly #send: Send;
  readonly #arrivals: Arrival[] = [];
  #wake: (() => void) | undefined;

  constructor(local: SocketAddress, send: Send) {
    this.local = local;
    this.#send = send;
  }

  /** Resolves when the system has taken it. */
  send(text: string, to?: SocketAddress, ttl = 64): Promise<void> {
    return this.#send(text, to, ttl);
  }

  /** For the program's news. */
  receive(arrival: Arrival): void {
    this.#arrivals.push(arrival);
    this.#wake?.();
  }

  /** What came and was not taken by `next`. */
  get arrived(): readonly Arrival[] {
    return this.#arrivals;
  }

  /** The next datagram or error code. Rejects if none comes. */
  async next(): Promise<Arrival> {
    if (this.#arrivals.length === 0) await this.#arrival();
    return this.#arrivals.shift()!;
  }

  #arrival(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { address, port } = this.local;
      const late = () => reject(new Error(`nothing came to ${address} port ${port}`));
      const timer = setTimeout(late, PATIENCE);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
