import { tcp, tunnels } from "#platform";
import { checkMillis, checkOptional, rangeError } from "../../src/base/argument.ts";
import { OnetpError } from "../../src/base/errors.ts";
import { type PlanningOptions, planning } from "../../src/base/planning.ts";
import { checkProxy, type ProxyOption } from "../../src/base/proxy.ts";
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
import { dialTcp, dialThroughProxy, proxyTarget, type TcpSocketOptions } from "./dial.ts";
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
  /**
   * A proxy to dial through, whatever the target: a URL that begins with http, https (CONNECT), socks5 or socks5h, such as that of
   * Tor, `socks5h://127.0.0.1:9050`. It looks up names, so that entries may have them. Default: none, whatever the environment says.
   */
  readonly proxy?: ProxyOption;
}

/** The kernel's TCP. Dials address literals, through a proxy names as well, listens on all own addresses with one port. */
export class TcpTransport implements Transport {
  readonly type = "tcp";
  readonly traits: TransportTraits;
  readonly connectTimeout: Millis;
  readonly #net: NonNullable<typeof tcp>;
  readonly #options: TcpSocketOptions;
  readonly #serverOptions: TcpServerOptions;
  readonly #proxy: string | undefined;

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
    this.#proxy = options.proxy || undefined;
    this.#serverOptions = { backlog: options.backlog, ipv6Only: options.ipv6Only ?? false };
  }

  accepts(endpoint: Endpoint): boolean {
    if (endpoint?.transportType !== this.type) return false;
    const target = this.#proxy
      ? proxyTarget(endpoint.transportInfo)
      : parseSocketAddress(endpoint.transportInfo);
    return target !== undefined;
  }

  dial(endpoint: Endpoint, context: DialContext): Promise<Channel> {
    if (this.#proxy) return dialThroughProxy(this.#proxy, this.#options, endpoint, context);
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
  checkProxy(options.proxy, tunnels !== undefined);
}
