import { checkOptional, rangeError } from "../../src/base/argument.ts";
import { OnetpError } from "../../src/base/errors.ts";
import { parseSocketAddress } from "../../src/base/socket-address.ts";
import type { Channel } from "../../src/contract/channel.ts";
import type { Millis } from "../../src/contract/clock.ts";
import type { Endpoint } from "../../src/contract/endpoint.ts";
import type { Runtime } from "../../src/contract/runtime.ts";
import type {
  DialContext,
  ListenContext,
  Listener,
  Transport,
  TransportTraits,
} from "../../src/contract/transport.ts";
import type { BindDatagram } from "../../src/host/local-sockets.ts";
import { checkConnectionOptions } from "../../src/utp/settings.ts";
import { dialUdp } from "./dial.ts";
import { DialPorts } from "./dial-ports.ts";
import { listenUdp } from "./listener.ts";
import { type UdpParts, UdpPorts } from "./ports.ts";

/** A receive buffer of this size carries a fast sender through a pause of the event loop (measured: PEERS). */
const BUFFER_SIZE = 2 * 1024 * 1024;

/** Options of the udp transport. */
export interface UdpTransportOptions {
  /** For planning; default 20. */
  readonly cost?: number;
  /** The longest one attempt may take, session handshake included; default 5000. */
  readonly connectTimeout?: Millis;
  /** Send small writes at once (no Nagle algorithm); default true. */
  readonly noDelay?: boolean;
  /** Idle ms after which the peer is asked whether it lives; default 25000, which keeps NATs open; false: never. */
  readonly keepAlive?: Millis | false;
  /** Congestion controller: `bbr` (default), which takes its share of the link, or `ledbat`, which leaves it to others. */
  readonly congestion?: string;
  /** Most payload bytes per packet; default: what the path allows. */
  readonly maxPayload?: number;
  /** Wanted size of the system's socket buffers in bytes; default 2 MiB. */
  readonly bufferSize?: number;
}

/** uTP over UDP between hosts that reach each other directly: a LAN, or public addresses. */
export class UdpTransport implements Transport {
  readonly type = "udp";
  readonly traits: TransportTraits;
  readonly connectTimeout: Millis;
  readonly #parts: Omit<UdpParts, "bind">;

  /** Throws on wrong options. */
  constructor(options: UdpTransportOptions = {}) {
    checkOptions(options);
    const { cost = 20, connectTimeout = 5000, noDelay = true, bufferSize = BUFFER_SIZE } = options;
    this.traits = { cost, relayed: false, signaled: false };
    this.connectTimeout = connectTimeout;
    const { congestion = "bbr", keepAlive, maxPayload } = options;
    const connection = {
      congestion,
      connectTimeout,
      noDelay,
      ...(keepAlive === undefined ? {} : { keepAlive }),
      ...(maxPayload === undefined ? {} : { maxPayload }),
    };
    this.#parts = { ports: new UdpPorts(), dialPorts: new DialPorts(), bufferSize, connection };
  }

  accepts(endpoint: Endpoint): boolean {
    return endpoint?.transportType === this.type && parseSocketAddress(endpoint.transportInfo) !== undefined;
  }

  async dial(endpoint: Endpoint, context: DialContext): Promise<Channel> {
    return dialUdp({ ...this.#parts, bind: this.#bind(context.runtime) }, endpoint, context);
  }

  async listen(context: ListenContext): Promise<Listener> {
    return listenUdp({ ...this.#parts, bind: this.#bind(context.runtime) }, context);
  }

  #bind({ bindDatagram }: Runtime): BindDatagram {
    if (bindDatagram) return bindDatagram;
    throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no UDP here", transport: this.type });
  }
}

function checkOptions(options: UdpTransportOptions): void {
  checkOptional("options", options, "object");
  checkOptional("options.cost", options.cost, "number");
  const { bufferSize } = options;
  checkOptional("options.bufferSize", bufferSize, "number");
  if (bufferSize !== undefined && !(Number.isInteger(bufferSize) && bufferSize > 0)) {
    throw rangeError("options.bufferSize", "a positive integer", bufferSize);
  }
  // The rest is for each connection, and wrong at once too.
  checkConnectionOptions(options);
}
