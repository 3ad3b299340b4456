import { tcp } from "#platform";
import { checkMillis, checkOptional, rangeError } from "../../src/base/argument.ts";
import { OnetpError, systemError } from "../../src/base/errors.ts";
import { ipFamily, ipScope } from "../../src/base/ip.ts";
import { linkLocalZones } from "../../src/base/listening.ts";
import { parseSocketAddress, socketEndpoint } from "../../src/base/socket-address.ts";
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
import { kernelAddress, type NetSocket, TcpChannel } from "./channel.ts";
import { listenTcp, type TcpServerOptions } from "./listener.ts";

/** Options of the tcp transport. */
export interface TcpTransportOptions {
  /** For planning; default 10. */
  readonly cost?: number;
  /** The longest one attempt may take, session handshake included; default 5000. */
  readonly connectTimeout?: Millis;
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
  readonly #options: TcpServerOptions;

  /** Throws on wrong options, and ERR_1TP_UNSUPPORTED where the runtime has no TCP. */
  constructor(options: TcpTransportOptions = {}) {
    checkOptions(options);
    if (!tcp) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no TCP here", transport: "tcp" });
    const { cost = 10, connectTimeout = 5000, noDelay = true, keepAlive = false } = options;
    this.#net = tcp;
    this.traits = { cost, relayed: false, signaled: false };
    this.connectTimeout = connectTimeout;
    this.#options = {
      noDelay,
      keepAlive: keepAlive !== false,
      keepAliveInitialDelay: typeof keepAlive === "number" ? keepAlive : 0,
      backlog: options.backlog,
      ipv6Only: options.ipv6Only ?? false,
    };
  }

  accepts(endpoint: Endpoint): boolean {
    return endpoint?.transportType === this.type && parseSocketAddress(endpoint.transportInfo) !== undefined;
  }

  async dial(endpoint: Endpoint, context: DialContext): Promise<Channel> {
    const target = parseSocketAddress(endpoint.transportInfo);
    if (!target) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { transport: this.type });
    context.onPhase("connect");
    const { address, port } = target;
    const withoutZone =
      ipFamily(address) === 6 && ipScope(address) === "link-local" && !address.includes("%");
    const zones = withoutZone ? linkLocalZones(context.runtime.interfaces()) : [];
    if (zones.length === 0) return this.#connect(address, port, context.signal);
    return this.#race(
      zones.map((zone) => `${address}%${zone}`),
      port,
      context.signal,
    );
  }

  listen(context: ListenContext): Promise<Listener> {
    return listenTcp(this.#net, this.#options, context);
  }

  /** One literal in several zones: the first connection stays, the others go. */
  async #race(addresses: readonly string[], port: number, signal: AbortSignal): Promise<Channel> {
    const race = new AbortController();
    const stop = (): void => race.abort(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
    let winner: Channel | undefined;
    const attempts = addresses.map(async (address) => {
      const channel = await this.#connect(address, port, race.signal);
      if (winner) channel.abort();
      winner ??= channel;
      race.abort();
      return winner;
    });
    try {
      return await Promise.any(attempts);
    } catch (error) {
      throw (error as AggregateError).errors[0];
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Rejects with the error of `net` or the signal's reason; leaves no handle behind then. */
  #connect(address: string, port: number, signal: AbortSignal): Promise<Channel> {
    signal.throwIfAborted();
    const { noDelay, keepAlive, keepAliveInitialDelay } = this.#options;
    const socket = this.#net.connect({
      host: address,
      port,
      autoSelectFamily: false,
      allowHalfOpen: true,
      noDelay,
      keepAlive,
      keepAliveInitialDelay,
    });
    return new Promise((resolve, reject) => {
      const settled = (): void => {
        signal.removeEventListener("abort", onAbort);
        socket.off("connect", onConnect);
        socket.off("error", onError);
      };
      const fail = (error: unknown): void => {
        settled();
        socket.destroy();
        reject(error);
      };
      const onAbort = (): void => fail(signal.reason);
      const onError = (error: Error): void => fail(error);
      const onConnect = (): void => {
        if (isSelfConnected(socket, port)) {
          fail(systemError("ECONNREFUSED", "connect", address, port));
          return;
        }
        settled();
        resolve(new TcpChannel(socket, socketEndpoint("tcp", address, port)));
      };
      signal.addEventListener("abort", onAbort);
      socket.on("connect", onConnect);
      socket.on("error", onError);
    });
  }
}

/** A dial of a free ephemeral port of this host can meet itself (RFC 9293 §3.5, simultaneous open). */
function isSelfConnected(socket: NetSocket, port: number): boolean {
  if (socket.localPort !== port) return false;
  return kernelAddress(socket.localAddress ?? "") === kernelAddress(socket.remoteAddress ?? "");
}

function checkOptions(options: TcpTransportOptions): void {
  checkOptional("options", options, "object");
  checkOptional("options.cost", options.cost, "number");
  if (options.connectTimeout !== undefined) checkMillis("options.connectTimeout", options.connectTimeout);
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
