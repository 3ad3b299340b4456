import { checkOptional } from "../../src/base/argument.ts";
import { OnetpError } from "../../src/base/errors.ts";
import { planning } from "../../src/base/planning.ts";
import { isSignaledBy } from "../../src/base/signaled.ts";
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
import { checkPunchingOptions, type PunchingOptions } from "../../src/host/punching-options.ts";
import { StunServers } from "../../src/host/stun-servers.ts";
import { type UtpSocketOptions, utpBufferSize, utpConnection } from "../../src/host/utp-options.ts";
import { dialPunch } from "./dial.ts";
import { listenPunch } from "./listener.ts";
import { NatKnowledge } from "./nat-knowledge.ts";
import { type PunchParts, TYPE } from "./parts.ts";

/** Keeps the mappings of homes that forget them after 10 s, which are the shortest known (measured: PEERS). */
const KEEP_ALIVE: Millis = 8_000;

/** Options of the udp-punch transport; `cost` is 40, `connectTimeout` 15000 and `keepAlive` 8000 unless given. */
export interface UdpPunchTransportOptions extends PunchingOptions, UtpSocketOptions {
  /** Whether listeners ask their gateway (PCP, NAT-PMP) to let everybody in to their port, until they close; default true. */
  readonly portMapping?: boolean;
}

/** uTP over UDP between hosts behind NATs, which open them for each other as told over a dialog. */
export class UdpPunchTransport implements Transport {
  readonly type = TYPE;
  readonly traits: TransportTraits;
  readonly connectTimeout: Millis;
  readonly #parts: Omit<PunchParts, "bind">;

  /** Throws on wrong options. */
  constructor(options: UdpPunchTransportOptions) {
    checkPunchingOptions(options);
    checkOptional("options.portMapping", options.portMapping, "boolean");
    const { cost, connectTimeout } = planning(options, { cost: 40, connectTimeout: 15_000 });
    const { signaling, stunServers, reach, portMapping = true } = options;
    this.traits = { cost, relayed: false, signaled: true, datagrams: true };
    this.connectTimeout = connectTimeout;
    this.#parts = {
      signaling,
      bufferSize: utpBufferSize(options),
      connectTimeout,
      connection: utpConnection({ keepAlive: KEEP_ALIVE, ...options }),
      stun: new StunServers(stunServers, signaling),
      knowledge: new NatKnowledge(),
      reach,
      portMapping,
    };
  }

  accepts(endpoint: Endpoint): boolean {
    return endpoint?.transportType === this.type && isSignaledBy(this.#parts.signaling, endpoint);
  }

  async dial(endpoint: Endpoint, context: DialContext): Promise<Channel> {
    if (!this.accepts(endpoint)) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { transport: this.type });
    return dialPunch(this.#partsOf(context.runtime), endpoint, context);
  }

  async listen(context: ListenContext): Promise<Listener> {
    return listenPunch(this.#partsOf(context.runtime), context);
  }

  #partsOf({ bindDatagram }: Runtime): PunchParts {
    if (bindDatagram) return { ...this.#parts, bind: bindDatagram };
    throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no UDP here", transport: this.type });
  }
}
