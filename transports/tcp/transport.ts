import { tcp } from "#platform";
import { checkMillis, checkOptional, rangeError } from "../../src/base/argument.ts";
import { OnetpError } from "../../src/base/errors.ts";
import { type PlanningOptions, planning } from "../../src/base/planning.ts";
import { parseSocketAddress } from "../../src/base/socket-address.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { Millis } from "../../src/contract/clock.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type {
  DialContext,
  ListenContext,
  Listener,
  Transport,
  TransportTraits,
} from "../../src/contract/transport.ts";
import { dialTcp, type TcpSocketOptions } from "./dial.ts";
import { listenTcp, type TcpServerOptions } from "./listener.ts";

/** Options of the tcp transport; `cost` is 10 and `connectTimeout` 5000 unless given. */
export interface TcpTransportOptions extends PlanningOptions {
  /** Send small writes at once (no Nagle algorithm); default true. */
  readonly noDelay?: boolean;
  /** Probe idle connections: true after the system's delay, or ms until the first probe; default false. */
  readonly keepAlive?: boolean | Millis;
  /** Length of the system's queue of connections that wait to be accepted; default 511, as in `net`. */
  readonly backlog?: number;
  /** Listen on IPv6 only where both families are asked for; default false. */
  readonly ipv6Only?: boolean;
}

/** The kernel's TCP. Dials address literals, listens on all own addresses with one port. */
export class TcpTransport implements Transport {
  readonly type = "tcp";
  readonly traits: TransportTraits;
  readonly connectTimeout: Millis;
  readonly #net: NonNullable<typeof tcp>;
  readonly #options: TcpSocketOptions;
  readonly #serverOptions: TcpServerOptions;

  /** Throws on wrong options, and ERR_1TP_UNSUPPORTED where the runtime has no TCP. */
  constructor(options: TcpTransportOptions = {}) {
    const { cost, connectTimeout } = planning(options, { cost: 10, connectTimeout: 5000 });
    checkOptions(options);
    if (!tcp) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no TCP here", transport: this.type });
    this.#net = tcp;
    this.traits = { cost, relayed: false, signaled: false };
    this.connectTimeout = connectTimeout;
    const { noDelay = true, keepAlive = false } = options;
    this.#options = {
      noDelay,
      keepAlive: keepAlive !== false,
      keepAliveInitialDelay: typeof keepAlive === "number" ? keepAlive : 0,
    };
    this.#serverOptions = { backlog: options.backlog, ipv6Only: options.ipv6Only ?? false };
  }

  accepts(endpoint: Endpoint): boolean {
    return endpoint?.transportType === this.type && parseSocketAddress(endpoint.transportInfo) !== undefined;
  }

  dial(endpoint: Endpoint, context: DialContext): Promise<Channel> {
    return dialTcp(this.#net, this.#options, endpoint, context);
  }

  listen(context: ListenContext): Promise<Listener> {
    return listenTcp(this.#net, { ...this.#options, ...this.#serverOptions }, context);
  }
}

function checkOptions(options: TcpTransportOptions): void {
  checkOptional("options.noDelay", options.noDelay, "boolean");
  const { keepAlive, backlog } = options;
  if (typeof keepAlive === "number") checkMillis("options.keepAlive", keepAlive);
  else checkOptional("options.keepAlive", keepAlive, "boolean");
  checkOptional("options.backlog", backlog, "number");
  if (backlog !== undefined && !(Number.isInteger(backlog) && backlog > 0)) {
    throw rangeError("options.backlog", "a positive integer", backlog);
  }
  checkOptional("options.ipv6Only", options.ipv6Only, "boolean");
}
