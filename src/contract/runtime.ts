import type { Clock } from "./clock.ts";
import type { BindOptions, DatagramSocket } from "./datagram-socket.ts";

/** A source of randomness: cryptographic in Node and browsers, seeded in simulations. */
export interface Random {
  /** Fills `bytes` and returns it. */
  fill<T extends Uint8Array>(bytes: T): T;
}

/** One address of one network interface of this host. */
export interface NetworkInterface {
  readonly name: string;
  /** IP literal, without zone. */
  readonly address: string;
  readonly family: "IPv4" | "IPv6";
  /** Length of the network prefix in bits. */
  readonly prefix: number;
  /** Loopback. */
  readonly internal: boolean;
  /** IPv6 zone index for link-local addresses. */
  readonly scopeId?: number;
  /** Largest IP packet in bytes, where the system tells. */
  readonly mtu?: number;
}

/** Everything the library wants from the outside world: Node, a browser, or a simulated host. */
export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  /** Absent where there is no UDP. Rejects with an errno code. */
  bindDatagram?(options: BindOptions): Promise<DatagramSocket>;
  /** The platform's TCP and TLS are this host's. Absent: a simulated host, which must not reach into the real network. */
  readonly tcp?: boolean;
  interfaces(): readonly NetworkInterface[];
  /** IPv4 addresses of the default gateways, best first; none, or absent, where the system does not tell. */
  gateways?(): Promise<readonly string[]>;
  /** The addresses of a host name, in the system's order. Absent where there is no DNS. Rejects with a code such as ENOTFOUND. */
  lookup?(name: string): Promise<readonly string[]>;
  /** Runs `task` once the input that is ready by now has been handed out (`setImmediate`). Absent: a timer for now. */
  afterInput?(task: () => void): void;
  /**
   * Runs `task` once what was handed out has settled, ticks and promises that follow each other included, and before any more
   * input: so that who answers late still answers in one go. Absent: as `afterInput`.
   */
  afterDelivery?(task: () => void): void;
  /** For people who set NODE_DEBUG=1tp; costs nothing otherwise. */
  log(message: string, ...values: readonly unknown[]): void;
}
