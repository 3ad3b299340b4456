import { tcp } from "#platform";
import { checkMillis, checkOptional } from "../../src/base/argument.ts";
import { OnetpError } from "../../src/base/errors.ts";
import { planning } from "../../src/base/planning.ts";
import { isSignaledBy } from "../../src/base/signaled.ts";
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
import { checkPunchingOptions, type PunchingOptions } from "../../src/host/punching-options.ts";
import { StunServers } from "../../src/host/stun-servers.ts";
import { dialPunch } from "./dial.ts";
import { listenPunch } from "./listener.ts";
import { type PunchParts, TYPE } from "./parts.ts";
import { PortSharing } from "./port-sharing.ts";

/** NATs may forget a connection that is idle for minutes (chosen: what browsers do). */
const KEEP_ALIVE: Millis = 45_000;

/** Of this process: it is the same for all transports. */
const SHARING = new PortSharing();

/** Options of the tcp-punch transport; `cost` is 45 and `connectTimeout` 15000 unless given. */
export interface TcpPunchTransportOptions extends PunchingOptions {
  /** Send small writes at once (no Nagle algorithm); default true. */
  readonly noDelay?: boolean;
  /** Ms of idleness until a connection is probed, which also keeps its way through NATs; false: never. Default 45000. */
  readonly keepAlive?: Millis | false;
}

/** The kernel's TCP between hosts behind NATs, which open them for each other as told over a dialog. */
export class TcpPunchTransport implements Transport {
  readonly type = TYPE;
  readonly traits: TransportTraits;
  readonly connectTimeout: Millis;
  readonly #parts: PunchParts;

  /** Throws on wrong options, and ERR_1TP_UNSUPPORTED where the runtime has no TCP. */
  constructor(options: TcpPunchTransportOptions) {
    checkPunchingOptions(options);
    const { cost, connectTimeout } = planning(options, { cost: 45, connectTimeout: 15_000 });
    const { signaling, stunServers, reach, noDelay = true, keepAlive = KEEP_ALIVE } = options;
    checkOptional("options.noDelay", noDelay, "boolean");
    if (keepAlive !== false) checkMillis("options.keepAlive", keepAlive);
    if (!tcp) throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail: "no TCP here", transport: this.type });
    this.traits = { cost, relayed: false, signaled: true };
    this.connectTimeout = connectTimeout;
    const stun = new StunServers(stunServers, signaling);
    this.#parts = { net: tcp, signaling, stun, connectTimeout, noDelay, keepAlive, reach };
  }

  /** Nothing where it has been found out that connections cannot share a port. */
  accepts(endpoint: Endpoint): boolean {
    return (
      !SHARING.refused &&
      endpoint?.transportType === this.type &&
      isSignaledBy(this.#parts.signaling, endpoint)
    );
  }

  async dial(endpoint: Endpoint, context: DialContext): Promise<Channel> {
    if (!this.accepts(endpoint)) throw new OnetpError("ERR_1TP_BAD_ADDRESS", { transport: this.type });
    await this.#settle(context);
    return dialPunch(this.#parts, endpoint, context);
  }

  async listen(context: ListenContext): Promise<Listener> {
    await this.#settle(context);
    return listenPunch(this.#parts, context);
  }

  /** Finds out once whether this system is good for it. */
  async #settle({ runtime }: DialContext | ListenContext): Promise<void> {
    if (await SHARING.settle(this.#parts.net, runtime.clock)) return;
    const detail = "connections cannot share a port here";
    throw new OnetpError("ERR_1TP_UNSUPPORTED", { detail, transport: this.type });
  }
}
