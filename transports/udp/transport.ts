import { OnetpError } from "../../src/base/errors.ts";
import { type PlanningOptions, planning } from "../../src/base/planning.ts";
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
import { type UtpSocketOptions, utpBufferSize, utpConnection } from "../../src/host/utp-options.ts";
import { dialUdp } from "./dial.ts";
import { DialPorts } from "./dial-ports.ts";
import { listenUdp } from "./listener.ts";
import { type UdpParts, UdpPorts } from "./ports.ts";

/** Options of the udp transport; `cost` is 20, `connectTimeout` 5000 and `keepAlive` 25000 unless given. */
export interface UdpTransportOptions extends PlanningOptions, UtpSocketOptions {}

/** uTP over UDP between hosts that reach each other directly: a LAN, or public addresses. */
export class UdpTransport implements Transport {
  readonly type = "udp";
  readonly traits: TransportTraits;
  readonly connectTimeout: Millis;
  readonly #parts: Omit<UdpParts, "bind">;

  /** Throws on wrong options. */
  constructor(options: UdpTransportOptions = {}) {
    const { cost, connectTimeout } = planning(options, { cost: 20, connectTimeout: 5000 });
    this.traits = { cost, relayed: false, signaled: false, datagrams: true };
    this.connectTimeout = connectTimeout;
    this.#parts = {
      ports: new UdpPorts(),
      dialPorts: new DialPorts(),
      bufferSize: utpBufferSize(options),
      connection: { ...utpConnection(options), connectTimeout },
    };
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
